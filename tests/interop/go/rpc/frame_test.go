package rpc

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readVector gives the bytes of a file of hex digits; lines that begin with # are comments.
func readVector(t *testing.T, path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			digits.WriteString(strings.TrimSpace(line))
		}
	}
	frame, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// The frames that our node's tests freeze: good ones give the same bytes again, bad ones are refused.
func TestVectors(t *testing.T) {
	paths, _ := filepath.Glob("../../../vectors/rpc/*.hex")
	if len(paths) == 0 {
		t.Fatal("no vectors")
	}
	for _, path := range paths {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			bytesIn := readVector(t, path)
			frame, err := ReadFrame(bufio.NewReader(bytes.NewReader(bytesIn)))
			if strings.HasPrefix(name, "bad_") {
				if err == nil {
					t.Fatalf("taken as %+v", frame)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if again := encode(frame); !bytes.Equal(again, bytesIn) {
				t.Fatalf("%x became %x", bytesIn, again)
			}
		})
	}
}
