#!/bin/bash
# sshd.sh NAMESPACE: an sshd of the watched host, or of the host inside, on port 22
ns=$1
cat > "/run/sshd-$ns.conf" <<X
Port 22
HostKey /guest/hostkey
PidFile /run/sshd-$ns.pid
UsePAM yes
PasswordAuthentication yes
KbdInteractiveAuthentication yes
Subsystem sftp /usr/lib/openssh/sftp-server
UseDNS no
LogLevel INFO
X
exec nsenter --net="/run/netns/$ns" /usr/sbin/sshd -f "/run/sshd-$ns.conf" -E "/var/log/sshd-$ns.log"
