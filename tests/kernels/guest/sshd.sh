#!/bin/bash
# sshd.sh NAMESPACE PORT: an sshd of the watched host (srv), or of the outside
ns=$1 port=$2
cat > "/run/sshd-$ns-$port.conf" <<X
Port $port
HostKey /guest/hostkey
PidFile /run/sshd-$ns-$port.pid
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
Subsystem sftp /usr/lib/openssh/sftp-server
UseDNS no
LogLevel INFO
X
[ "$ns-$port" = srv-22 ] && [ -S /dev/log ] || log="-E /var/log/sshd-$ns-$port.log"
# shellcheck disable=SC2086
exec nsenter --net="/run/netns/$ns" /usr/sbin/sshd -f "/run/sshd-$ns-$port.conf" ${log:-}
