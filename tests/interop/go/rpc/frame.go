// Package rpc is a second implementation of /p2pagents/rpc/1.0.0, written from docs/wire/rpc.md alone.
package rpc

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/multiformats/go-varint"
	"github.com/tinylib/msgp/msgp"
)

const (
	MessageBytesMax = 4 << 20
	frameBytesMax   = MessageBytesMax + 4608
	methodBytesMax  = 255
	textBytesMax    = 4096
	deadlineMsMax   = 86_400_000
	flagOneWay      = 1
)

const (
	typeRequest = iota
	typeMessage
	typeError
	typeRefusal
)

// Codes of a REFUSAL.
const (
	NoSuchMethod      = -301
	MessageTooLarge   = -204
	ProtocolViolation = -107
	Truncated         = -303
)

// Request is the client's first frame.
type Request struct {
	Method     string
	DeadlineMs uint64 // 0: none
	OneWay     bool
	Message    []byte // nil: none travels with it
}

// Message is one message of either side.
type Message []byte

// ApplicationError ends a call with what the method itself says went wrong.
type ApplicationError struct {
	Code int32
	Text string
	Data []byte
}

func (e *ApplicationError) Error() string { return fmt.Sprintf("error %d: %s", e.Code, e.Text) }

// Refusal says why a call was not carried out.
type Refusal struct {
	Code   int32
	Detail uint64
}

func (r *Refusal) Error() string { return fmt.Sprintf("refused: %d (%d)", r.Code, r.Detail) }

var (
	errViolation = &Refusal{Code: ProtocolViolation}
	errTooLarge  = &Refusal{Code: MessageTooLarge, Detail: MessageBytesMax}
	errTruncated = &Refusal{Code: Truncated}
)

// encode gives a whole frame, with its length.
func encode(frame any) []byte {
	var body []byte
	switch f := frame.(type) {
	case *Request:
		count, flags := uint32(4), uint64(0)
		if f.Message != nil {
			count = 5
		}
		if f.OneWay {
			flags = flagOneWay
		}
		body = msgp.AppendUint64(msgp.AppendArrayHeader(nil, count), typeRequest)
		body = msgp.AppendString(body, f.Method)
		body = msgp.AppendUint64(body, f.DeadlineMs)
		body = msgp.AppendUint64(body, flags)
		if f.Message != nil {
			body = msgp.AppendBytes(body, f.Message)
		}
	case Message:
		body = msgp.AppendUint64(msgp.AppendArrayHeader(nil, 2), typeMessage)
		body = msgp.AppendBytes(body, f)
	case *ApplicationError:
		body = msgp.AppendUint64(msgp.AppendArrayHeader(nil, 4), typeError)
		body = msgp.AppendInt64(body, int64(f.Code))
		body = msgp.AppendString(body, f.Text)
		body = msgp.AppendBytes(body, f.Data)
	case *Refusal:
		body = msgp.AppendUint64(msgp.AppendArrayHeader(nil, 3), typeRefusal)
		body = msgp.AppendInt64(body, int64(f.Code))
		body = msgp.AppendUint64(body, f.Detail)
	default:
		panic(fmt.Sprintf("no frame: %T", frame))
	}
	return append(varint.ToUvarint(uint64(len(body))), body...)
}

// ReadFrame reads one frame: *Request, Message, *ApplicationError or *Refusal. io.EOF: the stream ended between two
// frames. A *Refusal as the error says what is wrong with what came.
func ReadFrame(from *bufio.Reader) (any, error) {
	if _, err := from.Peek(1); err != nil {
		return nil, err
	}
	length, err := varint.ReadUvarint(from)
	switch {
	case err == varint.ErrNotMinimal || err == varint.ErrOverflow:
		return nil, errViolation
	case err != nil:
		return nil, endedInside(err)
	case length > frameBytesMax:
		return nil, errTooLarge
	}
	var body bytes.Buffer // grows with what arrives
	if _, err = io.CopyN(&body, from, int64(length)); err != nil {
		return nil, endedInside(err)
	}
	return decode(body.Bytes())
}

func endedInside(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errTruncated
	}
	return err
}

func decode(body []byte) (any, error) {
	d := decoder{left: body}
	count := d.array()
	kind := d.uint()
	var frame any
	switch {
	case d.failed:
	case kind == typeRequest && (count == 4 || count == 5):
		frame = d.request(count == 5)
	case kind == typeMessage && count == 2:
		frame = Message(d.message())
	case kind == typeError && count == 4:
		frame = &ApplicationError{Code: d.code(), Text: d.text(textBytesMax), Data: d.message()}
	case kind == typeRefusal && count == 3:
		frame = &Refusal{Code: d.code(), Detail: d.uint()}
	default:
		d.failed = true
	}
	switch {
	case d.failed || len(d.left) > 0:
		return nil, errViolation
	case d.tooLarge:
		return nil, errTooLarge
	}
	return frame, nil
}

// decoder takes values off the front of a frame; after the first that is wrong all others are zero.
type decoder struct {
	left             []byte
	failed, tooLarge bool
}

func (d *decoder) require(condition bool) { d.failed = d.failed || !condition }

func take[T any](d *decoder, read func([]byte) (T, []byte, error)) (value T) {
	if d.failed {
		return value
	}
	value, left, err := read(d.left)
	if err != nil {
		d.failed = true
		return value
	}
	d.left = left
	return value
}

func (d *decoder) array() uint32 { return take(d, msgp.ReadArrayHeaderBytes) }
func (d *decoder) uint() uint64  { return take(d, msgp.ReadUint64Bytes) }
func (d *decoder) code() int32   { return take(d, msgp.ReadInt32Bytes) }
func (d *decoder) message() []byte {
	message := take(d, msgp.ReadBytesZC)
	d.tooLarge = d.tooLarge || len(message) > MessageBytesMax
	return message
}

func (d *decoder) text(bytesMax int) string {
	text := take(d, msgp.ReadStringZC)
	d.require(len(text) <= bytesMax && utf8.Valid(text))
	return string(text)
}

func (d *decoder) request(withMessage bool) *Request {
	r := &Request{Method: d.text(methodBytesMax), DeadlineMs: min(d.uint(), deadlineMsMax)}
	flags := d.uint()
	d.require(len(r.Method) > 0 && flags&^flagOneWay == 0)
	r.OneWay = flags&flagOneWay != 0
	if withMessage {
		r.Message = d.message()
		if r.Message == nil {
			r.Message = []byte{}
		}
	}
	return r
}
