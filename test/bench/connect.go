package main

import (
	"context"
	"fmt"
	"time"

	"gopptp/test/lab"
)

const (
	// dials is how often our client dials our server.
	dials = 50
	// guestDials is how often the kernel's client dials each server: a guest
	// takes a second for each.
	guestDials = 9
	// connectLimit is what the median of our client may take.
	connectLimit = 100 * time.Millisecond
	// lineLimit is for any line of the log that must come.
	lineLimit = 20 * time.Second

	labSource     = "test/lab"
	serverAddress = "192.168.51.2" // of our server, for guests
	pptpdAddress  = "192.168.51.1"
	wanAddress    = "192.168.62.2" // of our server, for our client
)

func connects(ctx context.Context, binary string) error {
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
	if err := near.Link(ctx, far, wanAddress+"/24", "192.168.62.3/24"); err != nil {
		return err
	}
	server, err := near.Start(ctx, binary, "server")
	if err != nil {
		return err
	}
	_, err = server.Exec(ctx, "/interface/pptp-server/server/set enabled=yes",
		"/ppp/secret/add name=u1 password=secret1 service=pptp profile=default-encryption local-address=10.0.0.1 remote-address=10.0.0.5")
	if err != nil {
		return err
	}
	if err := ourClient(ctx, far, binary); err != nil {
		return err
	}
	return kernelClient(ctx, near, server)
}

// ourClient measures our client with our server, over a veth pair.
func ourClient(ctx context.Context, far *lab.Lab, binary string) error {
	client, err := far.Start(ctx, binary, "client")
	if err != nil {
		return err
	}
	_, err = client.Exec(ctx, "/interface/pptp-client/add name=pptp-out1 connect-to="+wanAddress+" user=u1 password=secret1")
	if err != nil {
		return err
	}
	var took []time.Duration
	for range dials {
		d, err := dial(ctx, client)
		if err != nil {
			return fmt.Errorf("%w\n%s", err, client.Transcript())
		}
		took = append(took, d)
	}
	m := median(took)
	row{
		name: fmt.Sprintf("our client, our server (%d)", dials), ours: m,
		other: "the most it may take", theirs: float64(connectLimit),
		note: fmt.Sprintf("from %s to %s", figure(float64(took[0])), figure(float64(took[len(took)-1]))),
	}.print()
	if m >= float64(connectLimit) {
		return fmt.Errorf("our client takes %s to connect, want less than %v", figure(m), connectLimit)
	}
	return nil
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

// kernelClient measures a guest's client on the kernel's PPTP with our server,
// and with pptpd in another guest, by turns.
func kernelClient(ctx context.Context, near *lab.Lab, server *lab.Daemon) error {
	peer, err := near.Boot(ctx, "server", pptpdAddress+"/24")
	if err != nil {
		return err
	}
	client, err := near.Boot(ctx, "client", "192.168.51.3/24")
	if err != nil {
		return err
	}
	if _, err := peer.Exec(ctx, "/host/peer serve require-mschap-v2 require-mppe-128"); err != nil {
		return err
	}
	var ours, theirs []time.Duration
	for range guestDials {
		for _, to := range []struct {
			address string
			took    *[]time.Duration
		}{{serverAddress, &ours}, {pptpdAddress, &theirs}} {
			d, err := client.Dial(ctx, "kernel", to.address, "u1", "secret1", "require-mppe-128")
			if err != nil {
				return fmt.Errorf("%w\n%s", err, server.Transcript())
			}
			*to.took = append(*to.took, d.Took)
			if _, err := client.Exec(ctx, "/host/peer hangup"); err != nil {
				return err
			}
		}
	}
	row{
		name: fmt.Sprintf("kernel client, our server (%d)", guestDials), ours: median(ours),
		other: "the same client, pptpd in a guest", theirs: median(theirs),
		note: fmt.Sprintf("slowest %s and %s", figure(float64(ours[len(ours)-1])), figure(float64(theirs[len(theirs)-1]))),
	}.print()
	return nil
}
