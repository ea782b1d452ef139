package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multiaddr"
)

// fields is one JSON line of the contract.
type fields map[string]any

var stdoutLock sync.Mutex

func printLine(f fields) {
	stdoutLock.Lock()
	defer stdoutLock.Unlock()
	json.NewEncoder(os.Stdout).Encode(f) // Encode ends the line; stdout is not buffered
}

func printEvent(name string, f fields) {
	line := fields{"event": name}
	for key, value := range f {
		line[key] = value
	}
	printLine(line)
}

// streamEnd tells how a stream ended for its reader: by the other's FIN, by its reset (with the code if known), or else.
func streamEnd(err error) fields {
	var reset *network.StreamError
	switch {
	case err == nil || err == io.EOF:
		return fields{"end": "fin"}
	case errors.As(err, &reset) && reset.Remote:
		return fields{"end": "reset", "code": reset.ErrorCode}
	}
	return fields{"end": "error", "error": err.Error()}
}

// transportPart is the address without a trailing /p2p/<id>.
func transportPart(a multiaddr.Multiaddr) string {
	if a == nil {
		return ""
	}
	a, _ = multiaddr.SplitFunc(a, func(c multiaddr.Component) bool { return c.Code() == multiaddr.P_P2P })
	return a.String()
}
