package menu

// Clock is a time of day: 05:25:07. It is only ever read.
type Clock struct{ plain }

// Parse accepts anything, since nobody sets a Clock.
func (Clock) Parse(_, text string, _ Resolver) (string, error) { return text, nil }

// Describe says what a value may be.
func (Clock) Describe() string { return "time of day" }
