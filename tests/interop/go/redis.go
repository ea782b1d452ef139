package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// redis speaks the few RESP2 replies that the official suites need.
type redis struct {
	conn   net.Conn
	reader *bufio.Reader
}

func dialRedis(addr string) (*redis, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &redis{conn, bufio.NewReader(conn)}, nil
}

// do runs one command; the strings of the reply come flattened, none for a null.
func (r *redis) do(command ...string) ([]string, error) {
	var request strings.Builder
	fmt.Fprintf(&request, "*%d\r\n", len(command))
	for _, word := range command {
		fmt.Fprintf(&request, "$%d\r\n%s\r\n", len(word), word)
	}
	if _, err := io.WriteString(r.conn, request.String()); err != nil {
		return nil, err
	}
	return r.reply()
}

func (r *redis) reply() ([]string, error) {
	line, err := r.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	if kind == '+' || kind == ':' {
		return []string{rest}, nil
	}
	if kind == '-' {
		return nil, errors.New(rest)
	}
	count, err := strconv.Atoi(rest)
	if err != nil || count < 0 {
		return nil, err
	}
	if kind == '$' {
		body := make([]byte, count+2)
		if _, err = io.ReadFull(r.reader, body); err != nil {
			return nil, err
		}
		return []string{string(body[:count])}, nil
	}
	all := []string{}
	for range count {
		item, err := r.reply()
		if err != nil {
			return nil, err
		}
		all = append(all, item...)
	}
	return all, nil
}
