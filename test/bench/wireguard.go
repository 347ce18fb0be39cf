package main

import (
	"bufio"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gopptp/test/lab"
)

const (
	// wireguardVersion is the wireguard-go that is measured, by the module proxy.
	wireguardVersion = "v0.0.0-20260522210424-ecfc5a8d5446"
	// wireguardMTU is what wireguard-go gives its interface.
	wireguardMTU  = 1420
	wireguardPort = 51820
	// buildLimit is for fetching and building it.
	buildLimit = 3 * time.Minute
	// socketDir is where wireguard-go has the sockets by which it is configured.
	socketDir = "/var/run/wireguard"
)

// wireguardBinary builds wireguard-go once for this user, and gives its path.
func wireguardBinary(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "gopptp", "wireguard-go-"+wireguardVersion)
	binary := filepath.Join(dir, "wireguard")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	ctx, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "install", "golang.zx2c4.com/wireguard@"+wireguardVersion)
	build.Env = append(os.Environ(), "GOBIN="+dir, "CGO_ENABLED=0", "GOFLAGS=")
	build.WaitDelay = time.Second
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build wireguard-go: %w\n%s", err, out)
	}
	return binary, nil
}

// A wireguard is one end of a wireguard-go tunnel.
type wireguard struct {
	*process
	lab    *lab.Lab
	device string
	key    *ecdh.PrivateKey
}

// newWireguard runs an end, not yet configured.
func newWireguard(ctx context.Context, l *lab.Lab, binary, end string) (*wireguard, error) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	// Sockets of all namespaces are in one directory, so the name has to be unique.
	w := &wireguard{lab: l, key: key, device: fmt.Sprintf("wg%s%d", end, os.Getpid())}
	w.process, err = start(l, []string{"LOG_LEVEL=error"}, binary, "-f", w.device)
	if err != nil {
		return nil, err
	}
	if !lab.WaitFor(ctx, openLimit, func() bool { _, err := os.Stat(w.socket()); return err == nil }) {
		w.end()
		return nil, fmt.Errorf("wireguard-go does not open its socket: %s", w.out.Bytes())
	}
	return w, nil
}

func (w *wireguard) socket() string { return filepath.Join(socketDir, w.device+".sock") }

// meet configures the end: its address in the tunnel, and where the other end is.
func (w *wireguard) meet(ctx context.Context, other *wireguard, endpoint, own, peer string) error {
	err := w.set(fmt.Sprintf("private_key=%x\nlisten_port=%d\nreplace_peers=true\npublic_key=%x\nendpoint=%s:%d\nallowed_ip=%s/32\n",
		w.key.Bytes(), wireguardPort, other.key.PublicKey().Bytes(), endpoint, wireguardPort, peer))
	if err != nil {
		return err
	}
	if err := w.lab.IP(ctx, "addr add "+own+" peer "+peer+" dev "+w.device); err != nil {
		return err
	}
	return w.lab.IP(ctx, "link set "+w.device+" up")
}

// set speaks wireguard's configuration protocol (its "Cross-Platform Interface").
func (w *wireguard) set(lines string) error {
	conn, err := net.Dial("unix", w.socket())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(openLimit)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "set=1\n"+lines+"\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	if answer = strings.TrimSpace(answer); answer != "errno=0" {
		return errors.New("wireguard-go refuses its configuration: " + answer)
	}
	return nil
}
