package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
)

// listen serves until stdin ends or SIGTERM.
func listen(ip string, n nodeFlags) int {
	h, err := newNode(n, ip)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFail
	}
	defer h.Close()
	serve(h)
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF: func(_ network.Network, c network.Conn) {
			printEvent("connected", fields{
				"peer": c.RemotePeer().String(), "remote_addr": transportPart(c.RemoteMultiaddr())})
		},
		DisconnectedF: func(_ network.Network, c network.Conn) {
			printEvent("disconnected", fields{"peer": c.RemotePeer().String()})
		},
	})
	identified, err := h.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitFail
	}
	go func() {
		for e := range identified.Out() {
			printEvent("identified", identifiedFields(e.(event.EvtPeerIdentificationCompleted)))
		}
	}()

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop <- syscall.SIGTERM
	}()

	addrs := []string{}
	for _, a := range h.Addrs() {
		addrs = append(addrs, fmt.Sprintf("%s/p2p/%s", a, h.ID()))
	}
	printEvent("listening", fields{"peer": h.ID().String(), "agent": agent, "addrs": addrs})
	<-stop
	return exitPass
}
