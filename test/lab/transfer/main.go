// Command transfer carries a megabyte each way between a guest and a test, and
// checks every octet. It runs in guests, so it is a static binary of its own.
//
//	transfer ADDRESS:PORT
package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"gopptp/test/lab"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: transfer ADDRESS:PORT")
		os.Exit(2)
	}
	if err := transfer(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func transfer(to string) error {
	c, err := net.DialTimeout("tcp4", to, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	return lab.Offer(c)
}
