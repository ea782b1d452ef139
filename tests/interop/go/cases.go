package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"golang.org/x/sync/errgroup"
)

var cases = map[string]func(context.Context, *session) (fields, error){
	"handshake":         handshakeCase,
	"identify":          connected(identifyCase),
	"ping":              connected(pingCase),
	"perf":              connected(perfCase),
	"echo":              connected(echoCase),
	"wrong-peer":        wrongPeerCase,
	"unsupported":       connected(unsupportedCase),
	"streams":           connected(streamsCase),
	"half-close-local":  connected(halfCloseLocalCase),
	"half-close-remote": connected(halfCloseRemoteCase),
	"reset-local":       connected(resetLocalCase),
	"reset-remote":      connected(resetRemoteCase),
	"idle":              connected(idleCase),
	"soak":              connected(soakCase),
}

// connected dials before the case proper.
func connected(run func(context.Context, *session) (fields, error)) func(context.Context, *session) (fields, error) {
	return func(ctx context.Context, s *session) (fields, error) {
		if err := s.connect(ctx); err != nil {
			return nil, fmt.Errorf("dial: %w", err)
		}
		for range s.pingsFirst {
			if err := s.pingSameConnection(ctx); err != nil {
				return nil, err
			}
		}
		return run(ctx, s)
	}
}

func handshakeCase(ctx context.Context, s *session) (fields, error) {
	start := time.Now()
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	return fields{
		"handshake_ms": milliseconds(time.Since(start)),
		"remote_peer":  s.conn.RemotePeer().String(),
		"remote_addr":  transportPart(s.conn.RemoteMultiaddr()),
	}, nil
}

func identifyCase(ctx context.Context, s *session) (fields, error) {
	select {
	case e := <-s.identified.Out():
		return fields{"identified": identifiedFields(e.(event.EvtPeerIdentificationCompleted))}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func pingCase(ctx context.Context, s *session) (fields, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rtts := []float64{}
	for result := range ping.Ping(ctx, s.host, s.target.ID) {
		if result.Error != nil {
			return fields{"rtts_ms": rtts}, result.Error
		}
		rtts = append(rtts, milliseconds(result.RTT))
		if len(rtts) == s.rounds {
			return fields{"rtts_ms": rtts}, nil
		}
	}
	return fields{"rtts_ms": rtts}, fmt.Errorf("%d of %d pings answered", len(rtts), s.rounds)
}

func perfCase(ctx context.Context, s *session) (fields, error) {
	stream, err := s.open(ctx, perfProtocol)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	start := time.Now()
	if _, err = stream.Write(binary.BigEndian.AppendUint64(nil, uint64(s.downloadBytes))); err != nil {
		return nil, err
	}
	uploaded, err := io.CopyN(stream, zeros{}, s.uploadBytes)
	if err != nil {
		return nil, err
	}
	if err = stream.CloseWrite(); err != nil {
		return nil, err
	}
	downloaded, err := io.Copy(io.Discard, stream)
	report := fields{"upload_bytes": uploaded, "download_bytes": downloaded, "seconds": time.Since(start).Seconds()}
	if err == nil && downloaded != s.downloadBytes {
		err = fmt.Errorf("%d of %d bytes downloaded", downloaded, s.downloadBytes)
	}
	return report, err
}

// echo: much there and back while other streams are open and idle.
func echoCase(ctx context.Context, s *session) (fields, error) {
	idle := make([]network.Stream, s.parallel)
	for i := range idle {
		stream, err := s.open(ctx, echoProtocol)
		if err != nil {
			return nil, err
		}
		defer stream.Reset()
		if err = echoByte(stream); err != nil {
			return nil, err
		}
		idle[i] = stream
	}
	report, err := s.bigEcho(ctx)
	if err != nil {
		return report, err
	}
	for _, stream := range idle {
		if err = stream.CloseWrite(); err != nil {
			return report, err
		}
		if rest, err := io.ReadAll(stream); err != nil || len(rest) != 0 {
			return report, fmt.Errorf("a stream that was idle ended with %d bytes: %w", len(rest), err)
		}
	}
	report["idle_streams"] = len(idle)
	return report, nil
}

// echoByte sends one byte, and reads it back.
func echoByte(stream network.Stream) error {
	if _, err := stream.Write([]byte{1}); err != nil {
		return err
	}
	_, err := io.ReadFull(stream, make([]byte, 1))
	return err
}

func (s *session) bigEcho(ctx context.Context) (fields, error) {
	stream, err := s.open(ctx, echoProtocol)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	count := s.bytesOr(64 << 20)
	sent, received := sha256.New(), sha256.New()
	start := time.Now()
	var group errgroup.Group
	group.Go(func() error {
		var seed [32]byte
		rand.Read(seed[:])
		if _, err := io.CopyN(io.MultiWriter(sent, stream), mathrand.NewChaCha8(seed), count); err != nil {
			return err
		}
		return stream.CloseWrite()
	})
	n, err := io.Copy(received, stream)
	if err = errors.Join(err, group.Wait()); err != nil {
		return fields{"bytes": n}, err
	}
	report := fields{
		"bytes":           n,
		"seconds":         time.Since(start).Seconds(),
		"sha256_sent":     hex.EncodeToString(sent.Sum(nil)),
		"sha256_received": hex.EncodeToString(received.Sum(nil)),
	}
	if n != count || report["sha256_sent"] != report["sha256_received"] {
		return report, errors.New("what came back is not what was sent")
	}
	return report, nil
}

func wrongPeerCase(ctx context.Context, s *session) (fields, error) {
	key, err := newKey(-1)
	if err != nil {
		return nil, err
	}
	if s.target.ID, err = peer.IDFromPublicKey(key.GetPublic()); err != nil {
		return nil, err
	}
	return expectErrorKind(s.connect(ctx), "peer-id-mismatch")
}

func unsupportedCase(ctx context.Context, s *session) (fields, error) {
	_, err := s.open(ctx, unsupportedProtocol)
	report, err := expectErrorKind(err, "unsupported-protocol")
	if err != nil {
		return report, err
	}
	return report, s.pingSameConnection(ctx)
}

func streamsCase(ctx context.Context, s *session) (fields, error) {
	size := s.bytesOr(1024)
	start := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(s.parallel)
	for i := range s.count {
		group.Go(func() error {
			return s.echoOnce(ctx, bytes.Repeat([]byte{byte(i), byte(i >> 8)}, int(size)/2))
		})
	}
	err := group.Wait()
	return fields{"streams": s.count, "seconds": time.Since(start).Seconds()}, err
}

// half-close-local: our FIN goes first, then the answer comes.
func halfCloseLocalCase(ctx context.Context, s *session) (fields, error) {
	message := make([]byte, s.bytesOr(64<<10))
	rand.Read(message)
	return fields{"bytes": len(message)}, s.echoOnce(ctx, message)
}

// half-close-remote: the other's FIN comes first, then we send; it tells on a stream of its own what arrived.
func halfCloseRemoteCase(ctx context.Context, s *session) (fields, error) {
	counted := make(chan uint64, 1)
	s.host.SetStreamHandler(countProtocol, func(stream network.Stream) {
		defer stream.Close()
		var count [8]byte
		if _, err := io.ReadFull(stream, count[:]); err == nil {
			counted <- binary.BigEndian.Uint64(count[:])
		}
	})
	stream, err := s.open(ctx, halfCloseProtocol)
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	received, err := io.Copy(io.Discard, stream)
	if err != nil {
		return nil, err
	}
	sent, err := io.CopyN(stream, zeros{}, s.bytesOr(1<<20))
	if err != nil {
		return nil, err
	}
	if err = stream.CloseWrite(); err != nil {
		return nil, err
	}
	report := fields{"received": received, "sent": sent}
	select {
	case report["counted"] = <-counted:
	case <-ctx.Done():
		return report, ctx.Err()
	}
	if received != halfCloseGreetingBytes || report["counted"] != uint64(sent) {
		return report, errors.New("counts differ")
	}
	return report, nil
}

func resetLocalCase(ctx context.Context, s *session) (fields, error) {
	stream, err := s.open(ctx, echoProtocol)
	if err != nil {
		return nil, err
	}
	message := make([]byte, s.bytesOr(1024))
	if _, err = stream.Write(message); err != nil {
		return nil, err
	}
	if _, err = io.ReadFull(stream, message); err != nil {
		return nil, err
	}
	if err = stream.ResetWithError(resetCode); err != nil {
		return nil, err
	}
	return fields{"bytes": len(message), "code": resetCode}, s.pingSameConnection(ctx)
}

func resetRemoteCase(ctx context.Context, s *session) (fields, error) {
	stream, err := s.open(ctx, resetProtocol)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	if _, err = stream.Write([]byte{1}); err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, stream)
	report := streamEnd(err)
	report["write_refused"] = s.writeRefused(ctx, stream)
	if report["end"] != "reset" || report["write_refused"] != true {
		return report, errors.New("the stream did not end as a reset does")
	}
	return report, s.pingSameConnection(ctx)
}

// idle: nothing is said on a stream for longer than any side bears silence.
func idleCase(ctx context.Context, s *session) (fields, error) {
	if err := s.pingSameConnection(ctx); err != nil {
		return nil, err
	}
	select {
	case <-time.After(s.idle):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return fields{"seconds": s.idle.Seconds()}, s.pingSameConnection(ctx)
}

// soak: streams come and go for a while, none of them stuck.
func soakCase(ctx context.Context, s *session) (fields, error) {
	begin := time.Now()
	var opened, resets atomic.Int64
	var group errgroup.Group
	for range s.parallel {
		group.Go(func() error {
			for time.Since(begin) < s.soak {
				var err error
				turn := opened.Add(1)
				switch {
				case s.resetEvery != 0 && turn%s.resetEvery == 0:
					resets.Add(1)
					err = s.soakReset(ctx)
				case turn%10 == 4:
					err = s.soakOnce(ctx, 64<<10)
				default:
					err = s.soakOnce(ctx, 1024)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	report := fields{"streams": opened.Load(), "resets": resets.Load(), "seconds": time.Since(begin).Seconds()}
	if err != nil {
		return report, err
	}
	return report, s.pingSameConnection(ctx)
}

const stuck = 20 * time.Second

func (s *session) soakOnce(ctx context.Context, size int) error {
	ctx, cancel := context.WithTimeout(ctx, stuck)
	defer cancel()
	return s.echoOnce(ctx, make([]byte, size))
}

func (s *session) soakReset(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stuck)
	defer cancel()
	stream, err := s.open(ctx, echoProtocol)
	if err != nil {
		return err
	}
	defer stream.ResetWithError(resetCode)
	deadline, _ := ctx.Deadline()
	stream.SetDeadline(deadline)
	message := make([]byte, 1024)
	if _, err = stream.Write(message); err == nil {
		_, err = io.ReadFull(stream, message)
	}
	return err
}

// writeRefused tells whether writing fails within two seconds.
func (s *session) writeRefused(ctx context.Context, stream network.Stream) bool {
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; {
		if _, err := stream.Write(make([]byte, 64)); err != nil {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// echoOnce sends the message and FIN, and only then reads it back up to the other's FIN.
func (s *session) echoOnce(ctx context.Context, message []byte) error {
	stream, err := s.open(ctx, echoProtocol)
	if err != nil {
		return err
	}
	defer stream.Close()
	if deadline, set := ctx.Deadline(); set {
		stream.SetDeadline(deadline)
	}
	if _, err = stream.Write(message); err != nil {
		return err
	}
	if err = stream.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(stream)
	if err == nil && !bytes.Equal(answer, message) {
		err = errors.New("what came back is not what was sent")
	}
	return err
}

// pingSameConnection pings once and fails if the first connection did not survive.
func (s *session) pingSameConnection(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if result := <-ping.Ping(ctx, s.host, s.target.ID); result.Error != nil {
		return fmt.Errorf("ping afterwards: %w", result.Error)
	}
	if s.conn.IsClosed() || len(s.host.Network().ConnsToPeer(s.target.ID)) != 1 {
		return errors.New("the connection did not survive")
	}
	return nil
}

// expectErrorKind passes if err is of the kind wanted.
func expectErrorKind(err error, kind string) (fields, error) {
	if err == nil {
		return nil, errors.New("not refused")
	}
	report := fields{"error_kind": errorKind(err), "refusal": err.Error()}
	if report["error_kind"] != kind {
		return report, fmt.Errorf("refused, but not as %s: %w", kind, err)
	}
	return report, nil
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
