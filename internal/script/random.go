package script

import (
	"crypto/rand"
	"math/big"
	"strings"

	"gopptp/internal/menu"
)

// letters are what a random text is made of unless told otherwise.
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// defaultLength is that of a random text, in characters.
const defaultLength = 16

// below gives a random number from 0 to n-1. It is one that nobody can guess, since
// scripts make passwords of it.
func below(n uint64) uint64 {
	v, err := rand.Int(rand.Reader, new(big.Int).SetUint64(n))
	if err != nil {
		panic("script: " + err.Error()) // crypto/rand never fails
	}
	return v.Uint64()
}

// number gives an argument that must be a number.
func (r run) number(c *menu.Call, name string) (int64, error) {
	v, err := r.value(c, name)
	if err != nil {
		return 0, err
	}
	if v = toNum(v); v.kind != Num {
		return 0, r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument %s", name))
	}
	return v.number, nil
}

// randomNumber carries out :rndnum.
func (r run) randomNumber(c *menu.Call) (Value, error) {
	from, err := r.number(c, "from")
	if err != nil {
		return Value{}, err
	}
	to, err := r.number(c, "to")
	if err != nil {
		return Value{}, err
	}
	n := uint64(to) - uint64(from) + 1 // zero is all numbers of 64 bits
	if to < from || n == 0 {
		return Value{}, r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument to"))
	}
	return Number(from + int64(below(n))), nil
}

// maxRandom bounds a random text in characters: each costs a look at the source of
// chance, and none is longer than a text of a menu.
const maxRandom = menu.MaxText

// randomText carries out :rndstr.
func (r run) randomText(c *menu.Call) (Value, error) {
	length := int64(defaultLength)
	if argument(c, "length") != nil {
		var err error
		if length, err = r.number(c, "length"); err != nil {
			return Value{}, err
		}
	}
	if length < 0 || length > maxRandom {
		return Value{}, r.at(c.Pos, menu.Errorf(menu.BadArgument, "value of length out of range (0..%d)", maxRandom))
	}
	v, err := r.optional(c, "from", Text(letters))
	if err != nil {
		return Value{}, err
	}
	from := v.String()
	if from == "" {
		return Value{}, r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument from"))
	}
	var b strings.Builder
	for range length {
		b.WriteByte(from[below(uint64(len(from)))])
	}
	return Text(b.String()), nil
}
