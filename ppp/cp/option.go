package cp

// A Verdict is what a row thinks of the peer's option.
type Verdict uint8

// The verdicts, from the mildest: the worst one decides about the whole request
// (RFC 1661, sections 5.2 to 5.4).
const (
	Ack    Verdict = iota
	Nak            // acceptable with another value
	Reject         // not acceptable, or not known
)

// AnyLen lets an option have data of any length.
const AnyLen = -1

// types is a set of option types.
type types [256 / 32]uint32

func (t *types) has(n uint8) bool { return t[n/32]&(1<<(n%32)) != 0 }
func (t *types) add(n uint8)      { t[n/32] |= 1 << (n % 32) }

// An Option is one row of a protocol's table. A function may be nil: the row
// then has no part in that step.
type Option struct {
	Type uint8
	Name string
	Len  int // of the data, exact, or AnyLen

	// Judge decides on the peer's value; with Nak it gives the value that would
	// do. It changes nothing that is negotiated. Without Judge the option is
	// rejected.
	Judge func(data []byte) (Verdict, []byte)
	// Suggest gives the value for the Nak that answers data of a wrong length
	// (RFC 1661, section 6). Without it such an option is rejected.
	Suggest func() []byte
	// Missing is asked when the peer's request lacks the option; true prompts
	// the peer for it with the value (RFC 1661, section 5.3).
	Missing func() ([]byte, bool)
	// Set takes the peer's value when its whole request is acked; false means
	// that the request does not have the option, so the default holds.
	Set func(data []byte, ok bool)

	// Want gives the value for our own request, if we ask for the option.
	Want func() ([]byte, bool)
	// Naked takes the peer's counter-proposal. An error means that we cannot
	// live with it; it comes out as Failed.
	Naked func(data []byte) error
	// Refused is told that the peer rejected the option. It is not asked for
	// again in this negotiation. An error means that we cannot do without.
	Refused func() error
}

// row finds the row of an option type.
func (c *Config) row(typ uint8) *Option {
	for i := range c.Options {
		if c.Options[i].Type == typ {
			return &c.Options[i]
		}
	}
	return nil
}

// fits tells whether data has the length that the row wants.
func (o *Option) fits(data []byte) bool { return o.Len == AnyLen || o.Len == len(data) }
