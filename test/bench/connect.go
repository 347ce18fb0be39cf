package main

import (
	"context"
	"fmt"
	"time"

	"gopptp/test/lab"
)

const (
	// connectLimit is what the median of our client may take.
	connectLimit = 100 * time.Millisecond
	// lineLimit is for any line of the log that must come.
	lineLimit = 20 * time.Second

	labSource     = "test/lab"
	serverAddress = "192.168.51.2" // of our server's namespace
)

// connects measures our client with our server, over a veth pair.
func (b *bench) connects(ctx context.Context) error {
	near, err := lab.New(ctx, labSource, "bench-server", serverAddress+"/24")
	if err != nil {
		return err
	}
	defer near.Close()
	far, err := lab.New(ctx, labSource, "bench-client", "192.168.61.2/24")
	if err != nil {
		return err
	}
	defer far.Close()
	if err := near.Link(ctx, far, nearWAN+"/24", farWAN+"/24"); err != nil {
		return err
	}
	server, err := near.Start(ctx, b.binary, "server")
	if err != nil {
		return err
	}
	_, err = server.Exec(ctx, "/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u1 password=secret1 service=pptp profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	if err != nil {
		return err
	}
	client, err := far.Start(ctx, b.binary, "client")
	if err != nil {
		return err
	}
	_, err = client.Exec(ctx, "/interface/pptp-client/add name=pptp-out1 connect-to="+nearWAN+" user=u1 password=secret1")
	if err != nil {
		return err
	}
	var limited, beside rounds
	for n := range b.dials {
		turn(ctx, n, b.dials)
		took, err := dial(ctx, client)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, client.Transcript())
		}
		command, err := comment(ctx, client, n)
		if err != nil {
			return err
		}
		limited.add(float64(took), float64(connectLimit))
		beside.add(float64(took), float64(command))
	}
	note := fmt.Sprintf("our client, our server, %d times", b.dials)
	r := limited.row("connect", "the most it may take", nanoseconds, note)
	r.shown = true // a time of this machine beside one that is the same on all
	b.add(r)
	b.add(beside.row("connect, beside a command", "a command that connects nothing", nanoseconds, note))
	if r.ratio <= 1 && !b.brief {
		return fmt.Errorf("our client takes %s to connect, want less than %v", r.unit.figure(r.ours), connectLimit)
	}
	return nil
}

// comment runs a command that has to start as a process, to be understood and to be kept
// on the disk as the one that dial begins with, and does nothing else.
func comment(ctx context.Context, client *lab.Daemon, n int) (time.Duration, error) {
	began := time.Now()
	_, err := client.Exec(ctx, fmt.Sprintf("/interface/pptp-client/set pptp-out1 comment=%q", fmt.Sprint("call ", n)))
	return time.Since(began), err
}

// dial connects and disconnects once. It takes from the command that enables the
// client, whose start as a process and sync to disk count too, until the line of
// the log that comes after IPCP has opened and the interface is there.
func dial(ctx context.Context, client *lab.Daemon) (time.Duration, error) {
	mark := client.Mark()
	began := time.Now()
	if _, err := client.Exec(ctx, "/interface/pptp-client/enable pptp-out1"); err != nil {
		return 0, err
	}
	connected, err := client.WaitLog(ctx, mark, lineLimit, `^pptp-out1: connected$`)
	if err != nil {
		return 0, err
	}
	if _, err := client.WaitLog(ctx, mark, lineLimit, `^pptp-out1: using encoding - MPPE128 stateless$`); err != nil {
		return 0, err
	}
	if _, err := client.Exec(ctx, "/interface/pptp-client/disable pptp-out1"); err != nil {
		return 0, err
	}
	if _, err := client.WaitLog(ctx, mark, lineLimit, `^pptp-out1: disconnected$`); err != nil {
		return 0, err
	}
	return connected.Arrived.Sub(began), nil
}
