package rawgretest

import "slices"

// All is the Carrier that delivers each datagram once.
func All(d Datagram) []Datagram { return []Datagram{d} }

// None is the Carrier that loses each datagram.
func None(Datagram) []Datagram { return nil }

// Lose makes a Carrier that loses each nth datagram.
func Lose(nth int) Carrier {
	return each(nth, None)
}

// Double makes a Carrier that delivers each nth datagram twice.
func Double(nth int) Carrier {
	return each(nth, func(d Datagram) []Datagram {
		copied := d
		copied.Data = slices.Clone(d.Data) // the receiver may write into its own
		return []Datagram{d, copied}
	})
}

// Swap makes a Carrier that delivers each nth datagram after its successor.
func Swap(nth int) Carrier {
	var held []Datagram
	hold := each(nth, func(d Datagram) []Datagram {
		held = append(held, d)
		return nil
	})
	return func(d Datagram) []Datagram {
		before := held
		held = nil
		return append(hold(d), before...)
	}
}

// each makes a Carrier that is f for each nth datagram and All for the others.
func each(nth int, f Carrier) Carrier {
	count := 0
	return func(d Datagram) []Datagram {
		if count++; count%nth == 0 {
			return f(d)
		}
		return All(d)
	}
}
