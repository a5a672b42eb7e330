#!/bin/bash
# Two network namespaces joined by a veth pair: srv is the watched host, ext the outside. 10.20.0.2
# stands for a host inside.
set -e
for n in srv ext; do
	ip netns add $n
	ip -n $n link set lo up
done
ip -n srv link add v0 type veth peer name v1 netns ext
ip -n srv addr add 203.0.113.1/24 dev v0
ip -n ext addr add 203.0.113.10/24 dev v1
ip -n srv addr add 10.20.0.1/24 dev v0
ip -n ext addr add 10.20.0.2/24 dev v1
ip -n srv addr add 2001:db8:1::1/64 dev v0 nodad
ip -n ext addr add 2001:db8:1::10/64 dev v1 nodad
ip -n srv link set v0 up
ip -n ext link set v1 up
