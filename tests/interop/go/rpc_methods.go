package main

import (
	"encoding/binary"
	"io"

	"github.com/libp2p/go-libp2p/core/host"

	"p2pagents/tests/interop/go/rpc"
)

var theError = rpc.ApplicationError{Code: 42, Text: "no such document", Data: []byte{1, 2}}

// serveRPC serves the methods of the contract.
func serveRPC(h host.Host) {
	logged := func(c *rpc.Call) error {
		message, err := c.Receive()
		if err == nil {
			printEvent("rpc-log", fields{"peer": c.Peer().String(), "bytes": len(message)})
		}
		return err
	}
	rpc.Serve(h, map[string]rpc.Method{
		"echo":   rpcEcho,
		"count":  rpcCount,
		"sum":    rpcSum,
		"fail":   rpc.UnaryMethod(func([]byte) ([]byte, error) { return nil, &theError }),
		"wait":   rpcWait,
		"cancel": func(*rpc.Call) error { return rpc.ErrCancelled },
		"log":    logged,
	}, func(c *rpc.Call, err error) {
		if c.Method == "wait" {
			printEvent("rpc-wait", fields{"peer": c.Peer().String(), "end": rpcEnd(err)})
		}
	})
}

// rpcWait says that it is there, and then leaves it to the other end to give up.
func rpcWait(c *rpc.Call) error {
	if err := c.Send(nil); err != nil {
		return err
	}
	return c.Abandoned()
}

// rpcEnd names how a call that nobody answered ended.
func rpcEnd(err error) string {
	switch err {
	case rpc.ErrCancelled:
		return "cancelled"
	case rpc.ErrDeadline:
		return "deadline"
	}
	return "error"
}

// rpcEcho sends each message back as it comes: unary with one, two-way with several.
func rpcEcho(c *rpc.Call) error {
	for {
		message, err := c.Receive()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = c.Send(message)
		}
		if err != nil {
			return err
		}
	}
}

func rpcCount(c *rpc.Call) error {
	request, err := c.Receive()
	if err != nil {
		return err
	}
	if len(request) != 4 {
		return &theError
	}
	for i := range binary.BigEndian.Uint32(request) {
		if err := c.Send(binary.BigEndian.AppendUint32(nil, i)); err != nil {
			return err
		}
	}
	return nil
}

func rpcSum(c *rpc.Call) error {
	sum := uint64(0)
	for {
		message, err := c.Receive()
		if err == io.EOF {
			return c.Send(binary.BigEndian.AppendUint64(nil, sum))
		}
		if err != nil {
			return err
		}
		if len(message) != 4 {
			return &theError
		}
		sum += uint64(binary.BigEndian.Uint32(message))
	}
}
