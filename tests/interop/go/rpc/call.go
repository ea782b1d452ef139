package rpc

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
)

const ProtocolID = protocol.ID("/p2pagents/rpc/1.0.0")

// Codes of a reset.
const (
	resetCancelled  = network.StreamErrorCode(0x2701)
	resetDeadline   = network.StreamErrorCode(0x2702)
	resetViolation  = network.StreamErrorCode(0x1004)
	resetNotEnded   = network.StreamErrorCode(0x1006)
	requestTimeout  = 10 * time.Second
	lingerTimeout   = 10 * time.Second
	stoppedInterval = 10 * time.Millisecond
)

var (
	// ErrCancelled: the other end gave the call up.
	ErrCancelled = errors.New("cancelled")
	// ErrDeadline: the deadline passed, here or there.
	ErrDeadline = errors.New("deadline exceeded")
)

// Call is one end of a call, for one goroutine that sends and one that receives.
type Call struct {
	Request
	stream  network.Stream
	reader  *bufio.Reader
	timer   *time.Timer
	expired atomic.Bool
}

func newCall(stream network.Stream) *Call {
	return &Call{stream: stream, reader: bufio.NewReader(stream)}
}

// Peer is the other end.
func (c *Call) Peer() peer.ID { return c.stream.Conn().RemotePeer() }

// Send sends one message, as far as flow control lets it.
func (c *Call) Send(message []byte) error { return c.write(Message(message)) }

func (c *Call) write(frame any) error {
	_, err := c.stream.Write(encode(frame))
	return c.reason(err)
}

// Cancel gives the call up.
func (c *Call) Cancel() {
	c.stopTimer()
	c.stream.ResetWithError(resetCancelled)
}

// keepDeadline resets the stream when what was left has passed.
func (c *Call) keepDeadline() {
	if c.DeadlineMs == 0 {
		return
	}
	c.timer = time.AfterFunc(time.Duration(c.DeadlineMs)*time.Millisecond, func() {
		c.expired.Store(true)
		c.stream.ResetWithError(resetDeadline)
	})
}

func (c *Call) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// reason says what an error of the stream means for a call.
func (c *Call) reason(err error) error {
	var reset *network.StreamError
	switch {
	case err == nil:
		return nil
	case c.expired.Load():
		return ErrDeadline
	case !errors.As(err, &reset) || !reset.Remote:
		return err
	case reset.ErrorCode == resetCancelled || reset.ErrorCode == 0: // 0: STOP_SENDING of one who waits no more
		return ErrCancelled
	case reset.ErrorCode == resetDeadline:
		return ErrDeadline
	}
	return err
}

// --- the client

// Open starts a call; ctx is for the opening alone.
func Open(ctx context.Context, h host.Host, to peer.ID, request Request) (*Call, error) {
	stream, err := h.NewStream(ctx, to, ProtocolID)
	if err != nil {
		return nil, err
	}
	c := newCall(stream)
	c.Request = request
	c.keepDeadline()
	if err = c.write(&request); err != nil {
		c.stopTimer()
		return nil, err
	}
	return c, nil
}

// CloseSend says that no more messages follow.
func (c *Call) CloseSend() error { return c.reason(c.stream.CloseWrite()) }

// Next is the server's next message. The call is over with any error: io.EOF is success, others are *ApplicationError,
// *Refusal, ErrCancelled, ErrDeadline, or what the stream says.
func (c *Call) Next() ([]byte, error) {
	frame, err := ReadFrame(c.reader)
	if message, is := frame.(Message); is {
		return message, nil
	}
	defer c.stopTimer()
	var violation *Refusal
	switch last := frame.(type) {
	case *ApplicationError:
		err = last
	case *Refusal:
		err = last
	case *Request:
		c.stream.ResetWithError(resetViolation)
		return nil, errViolation
	case nil:
		if errors.As(err, &violation) {
			c.stream.ResetWithError(resetViolation)
			return nil, err
		}
		if err != io.EOF {
			return nil, c.reason(err)
		}
	}
	c.stream.CloseWrite()
	if _, more := c.reader.Peek(1); more != io.EOF { // nothing follows what ends a call
		c.stream.ResetWithError(resetViolation)
		return nil, errViolation
	}
	return nil, err
}

// Unary is a whole call of one request and one answer.
func Unary(ctx context.Context, h host.Host, to peer.ID, request Request) ([]byte, error) {
	c, err := Open(ctx, h, to, request)
	if err != nil {
		return nil, err
	}
	c.CloseSend() // fails where the other end is done with the call, and Next tells how it ended
	answer, err := c.Next()
	if err == io.EOF {
		return nil, errTruncated // no answer came
	}
	if err != nil {
		return nil, err
	}
	if _, err = c.Next(); err != io.EOF {
		c.stream.ResetWithError(resetViolation)
		if err == nil {
			err = errViolation
		}
		return nil, err
	}
	return answer, nil
}

// --- the server

// Method serves one call; what it returns ends the call: nil with success, *ApplicationError with that error, *Refusal
// with that refusal, ErrCancelled by giving it up.
type Method func(*Call) error

// Serve answers calls of these methods. ended hears how each ended.
func Serve(h host.Host, methods map[string]Method, ended func(*Call, error)) {
	h.SetStreamHandler(ProtocolID, func(stream network.Stream) {
		c := newCall(stream)
		err := c.serve(methods)
		c.stopTimer()
		c.end(err)
		if ended != nil {
			ended(c, err)
		}
	})
}

func (c *Call) serve(methods map[string]Method) error {
	c.stream.SetReadDeadline(time.Now().Add(requestTimeout))
	frame, err := ReadFrame(c.reader)
	c.stream.SetReadDeadline(time.Time{})
	if err == io.EOF {
		return errTruncated
	}
	if err != nil {
		return err
	}
	request, is := frame.(*Request)
	if !is {
		return errViolation
	}
	c.Request = *request
	c.keepDeadline()
	if c.OneWay {
		c.stream.CloseWrite()
	}
	method, known := methods[c.Method]
	if !known {
		return &Refusal{Code: NoSuchMethod}
	}
	return method(c)
}

// end tells the client, and waits until it has ended too.
func (c *Call) end(err error) {
	var failure *ApplicationError
	var refusal *Refusal
	switch {
	case err == nil || c.OneWay:
	case errors.As(err, &failure):
		c.write(failure)
	case errors.As(err, &refusal):
		c.write(refusal)
	case err == ErrCancelled:
		c.stream.ResetWithError(resetCancelled)
		return
	case err == ErrDeadline: // the timer resets one direction after the other, and we may come in between
		c.stream.ResetWithError(resetDeadline)
		return
	default: // no request came, or the connection is gone
		c.stream.ResetWithError(resetNotEnded)
		return
	}
	c.stream.CloseWrite()
	c.stream.SetReadDeadline(time.Now().Add(lingerTimeout))
	if _, err := io.Copy(io.Discard, c.reader); err != nil {
		c.stream.ResetWithError(resetNotEnded)
	}
}

// Receive is the client's next message; io.EOF: it has no more.
func (c *Call) Receive() ([]byte, error) {
	if first := c.Request.Message; first != nil {
		c.Request.Message = nil
		return first, nil
	}
	frame, err := ReadFrame(c.reader)
	if err != nil {
		if refusal := (*Refusal)(nil); err == io.EOF || errors.As(err, &refusal) {
			return nil, err
		}
		return nil, c.reason(err)
	}
	message, is := frame.(Message)
	if !is {
		return nil, errViolation
	}
	return message, nil
}

// Abandoned waits until the call is given up, and says why.
func (c *Call) Abandoned() error {
	for {
		if _, err := c.Receive(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
	}
	// The client has ended its direction, so what else comes go-libp2p tells who writes: STOP_SENDING of QUIC to who writes
	// nothing, RST of Yamux only to who writes something.
	var probe []byte
	if c.stream.Conn().ConnState().StreamMultiplexer == yamux.ID {
		probe = encode(Message(nil))
	}
	for {
		if _, err := c.stream.Write(probe); err != nil {
			return c.reason(err)
		}
		time.Sleep(stoppedInterval)
	}
}

// UnaryMethod serves one request with one answer.
func UnaryMethod(method func([]byte) ([]byte, error)) Method {
	return func(c *Call) error {
		request, err := c.Receive()
		if err == io.EOF {
			return errViolation
		}
		if err != nil {
			return err
		}
		answer, err := method(request)
		if err != nil {
			return err
		}
		return c.Send(answer)
	}
}
