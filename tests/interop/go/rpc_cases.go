package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p/core/network"

	"p2pagents/tests/interop/go/rpc"
)

const (
	rpcDeadlineMs    = 30_000
	rpcShortMs       = 200
	rpcMessagesCount = 10_000
)

func init() {
	for name, run := range map[string]func(context.Context, *session) (fields, error){
		"rpc-unary":            rpcUnaryCase,
		"rpc-server-streaming": rpcServerStreamingCase,
		"rpc-client-streaming": rpcClientStreamingCase,
		"rpc-two-way":          rpcTwoWayCase,
		"rpc-one-way":          rpcOneWayCase,
		"rpc-error":            rpcErrorCase,
		"rpc-refusal":          rpcRefusalCase,
		"rpc-cancel-local":     rpcCancelLocalCase,
		"rpc-cancel-remote":    rpcCancelRemoteCase,
		"rpc-deadline":         rpcDeadlineCase,
	} {
		cases[name] = connected(run)
	}
}

func (s *session) openCall(ctx context.Context, method string, message []byte) (*rpc.Call, error) {
	return rpc.Open(ctx, s.host, s.target.ID, rpc.Request{Method: method, DeadlineMs: rpcDeadlineMs, Message: message})
}

func (s *session) unary(ctx context.Context, method string, message []byte) ([]byte, error) {
	return rpc.Unary(ctx, s.host, s.target.ID, rpc.Request{Method: method, DeadlineMs: rpcDeadlineMs, Message: message})
}

func rpcUnaryCase(ctx context.Context, s *session) (fields, error) {
	sizes := []int{0, 1, 1024, rpc.MessageBytesMax}
	for _, size := range sizes {
		message := make([]byte, size)
		rand.Read(message)
		answer, err := s.unary(ctx, "echo", message)
		if err != nil {
			return nil, fmt.Errorf("%d bytes: %w", size, err)
		}
		if !bytes.Equal(answer, message) {
			return nil, fmt.Errorf("%d bytes came back as %d others", size, len(answer))
		}
	}
	return fields{"sizes": sizes}, nil
}

func rpcServerStreamingCase(ctx context.Context, s *session) (fields, error) {
	c, err := s.openCall(ctx, "count", binary.BigEndian.AppendUint32(nil, rpcMessagesCount))
	if err != nil {
		return nil, err
	}
	if err = c.CloseSend(); err != nil {
		return nil, err
	}
	received := uint32(0)
	for {
		message, err := c.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(message, binary.BigEndian.AppendUint32(nil, received)) {
			return nil, fmt.Errorf("message %d is %x", received, message)
		}
		received++
	}
	return fields{"messages": received}, nil
}

func rpcClientStreamingCase(ctx context.Context, s *session) (fields, error) {
	c, err := s.openCall(ctx, "sum", nil)
	if err != nil {
		return nil, err
	}
	for i := range uint32(rpcMessagesCount) {
		if err = c.Send(binary.BigEndian.AppendUint32(nil, i)); err != nil {
			return nil, err
		}
	}
	if err = c.CloseSend(); err != nil {
		return nil, err
	}
	answer, err := c.Next()
	if err != nil {
		return nil, err
	}
	if _, err = c.Next(); err != io.EOF || len(answer) != 8 {
		return nil, fmt.Errorf("answer %x, then %v", answer, err)
	}
	return fields{"sum": binary.BigEndian.Uint64(answer)}, nil
}

// Each message is sent after the answer to the one before, so that neither end can be waiting for the other's end.
func rpcTwoWayCase(ctx context.Context, s *session) (fields, error) {
	c, err := s.openCall(ctx, "echo", nil)
	if err != nil {
		return nil, err
	}
	for i := range uint32(100) {
		message := binary.BigEndian.AppendUint32(nil, i)
		if err = c.Send(message); err != nil {
			return nil, err
		}
		answer, err := c.Next()
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(answer, message) {
			return nil, fmt.Errorf("message %d came back as %x", i, answer)
		}
	}
	if err = c.CloseSend(); err != nil {
		return nil, err
	}
	if _, err = c.Next(); err != io.EOF {
		return nil, fmt.Errorf("after the last message: %v", err)
	}
	return fields{"messages": 100}, nil
}

func rpcOneWayCase(ctx context.Context, s *session) (fields, error) {
	message := make([]byte, 1000)
	c, err := rpc.Open(ctx, s.host, s.target.ID, rpc.Request{
		Method: "log", DeadlineMs: rpcDeadlineMs, OneWay: true, Message: message})
	if err != nil {
		return nil, err
	}
	if err = c.CloseSend(); err != nil {
		return nil, err
	}
	if _, err = c.Next(); err != io.EOF {
		return nil, fmt.Errorf("a one-way call was answered: %v", err)
	}
	return fields{"bytes": len(message)}, nil
}

func rpcErrorCase(ctx context.Context, s *session) (fields, error) {
	_, err := s.unary(ctx, "fail", []byte{})
	var failure *rpc.ApplicationError
	if !errors.As(err, &failure) {
		return nil, fmt.Errorf("it ended with %v", err)
	}
	return fields{"code": failure.Code, "text": failure.Text, "data": hex.EncodeToString(failure.Data)}, nil
}

// What the page calls wrong, beside what an honest client meets.
func rpcRefusalCase(ctx context.Context, s *session) (fields, error) {
	var refusal *rpc.Refusal
	if _, err := s.unary(ctx, "none", []byte("x")); !errors.As(err, &refusal) {
		return nil, fmt.Errorf("a method that is not there: %v", err)
	}
	report := fields{"code": refusal.Code}
	if _, err := s.unary(ctx, "echo", make([]byte, rpc.MessageBytesMax+1)); !errors.As(err, &refusal) {
		return report, fmt.Errorf("a message over the bound: %v", err)
	}
	report["too_large"] = refusal.Code
	for _, wrong := range []struct {
		text string
		code int32
	}{
		{"0a9500a46563686f0002c400", rpc.ProtocolViolation}, // a flag that means nothing
		{"059201c40178", rpc.ProtocolViolation},             // MESSAGE first
		{"8000", rpc.ProtocolViolation},                     // a length that is not minimal
		{"059500a465", rpc.Truncated},                       // the end inside a frame
		{"", rpc.Truncated},                                 // no REQUEST at all
		{"099400a46661696c0000", rpc.ProtocolViolation},     // no message to a unary method
	} {
		if err := s.expectRefusal(ctx, wrong.text, wrong.code); err != nil {
			return report, fmt.Errorf("frame %q: %w", wrong.text, err)
		}
	}
	return report, s.pingSameConnection(ctx)
}

// expectRefusal sends raw bytes and their end, and awaits the refusal with this code.
func (s *session) expectRefusal(ctx context.Context, text string, code int32) error {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return err
	}
	stream, err := s.open(ctx, rpc.ProtocolID)
	if err != nil {
		return err
	}
	defer stream.Reset()
	if _, err = stream.Write(raw); err != nil {
		return err
	}
	if err = stream.CloseWrite(); err != nil {
		return err
	}
	frame, err := rpc.ReadFrame(bufio.NewReader(stream))
	if refusal, is := frame.(*rpc.Refusal); !is || refusal.Code != code {
		return fmt.Errorf("answered with %v, %v", frame, err)
	}
	return nil
}

func rpcCancelLocalCase(ctx context.Context, s *session) (fields, error) {
	c, err := s.openCall(ctx, "wait", []byte{})
	if err != nil {
		return nil, err
	}
	if err = c.CloseSend(); err != nil {
		return nil, err
	}
	if _, err = c.Next(); err != nil { // now the other end knows of the call
		return nil, err
	}
	c.Cancel()
	return nil, s.pingSameConnection(ctx)
}

func rpcCancelRemoteCase(ctx context.Context, s *session) (fields, error) {
	_, err := s.unary(ctx, "cancel", []byte{})
	if err != rpc.ErrCancelled {
		return nil, fmt.Errorf("it ended with %v", err)
	}
	return nil, s.pingSameConnection(ctx)
}

func rpcDeadlineCase(ctx context.Context, s *session) (fields, error) {
	c, err := rpc.Open(ctx, s.host, s.target.ID, rpc.Request{Method: "wait", DeadlineMs: rpcShortMs, Message: []byte{}})
	for err == nil {
		_, err = c.Next()
	}
	if err != rpc.ErrDeadline {
		return nil, fmt.Errorf("it ended with %v", err)
	}
	// The other end's clock alone, too.
	stream, err := s.open(ctx, rpc.ProtocolID)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	if _, err = stream.Write([]byte("\x0c\x95\x00\xa4wait\xcc\xc8\x00\xc4\x00")); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, stream)
	var reset *network.StreamError
	if !errors.As(err, &reset) || !reset.Remote || reset.ErrorCode != 0x2702 {
		return nil, fmt.Errorf("the other end's deadline came as %v", err)
	}
	return nil, s.pingSameConnection(ctx)
}
