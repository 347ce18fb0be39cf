package menu

import "slices"

// A Form says how a person is asked for a value: what a page makes a field of.
type Form struct {
	Kind  FormKind
	Words []string // of an enum or a set, all; of the others, what may stand in the place of a value
	// Min and Max bound a number, a time in seconds, or the octets of a text; nil for
	// no bound that a person could meet.
	Min, Max *float64
	Menu     string // the path of the menu that a reference leads to
}

// A FormKind is a kind of field.
type FormKind string

// The kinds.
const (
	FormText      FormKind = "text"
	FormScript    FormKind = "script" // text of many lines
	FormNumber    FormKind = "number"
	FormBool      FormKind = "bool"
	FormEnum      FormKind = "enum"
	FormSet       FormKind = "set"  // words, separated by commas
	FormList      FormKind = "list" // anything else, separated by commas
	FormTime      FormKind = "time"
	FormDate      FormKind = "date"
	FormAddress   FormKind = "address"
	FormPrefix    FormKind = "prefix"
	FormHost      FormKind = "host"
	FormReference FormKind = "reference"
	FormFile      FormKind = "file"
)

// A Former is a type that has a form. All types of this package do, and so does
// what is made of one.
type Former interface{ Form() Form }

// Form says how a person is asked for a value.
func (Bool) Form() Form { return Form{Kind: FormBool} }

// Form says how a person is asked for a value.
func (e Enum) Form() Form {
	if len(e.Words) == 0 {
		return Form{Kind: FormText}
	}
	return Form{Kind: FormEnum, Words: e.Words}
}

// Form says how a person is asked for a value.
func (List) Form() Form { return Form{Kind: FormList} }

// Form says how a person is asked for a value.
func (s SetOf) Form() Form { return Form{Kind: FormSet, Words: s.Words} }

// Form says how a person is asked for a value.
func (r Reference) Form() Form {
	f := Form{Kind: FormReference, Menu: r.Path}
	if r.None {
		f.Words = []string{"none"}
	}
	return f
}

// Form says how a person is asked for a value.
func (t String) Form() Form {
	most := t.Max
	if most == 0 {
		most = MaxText
	}
	return Form{Kind: FormText, Min: new(float64(t.Min)), Max: new(float64(most))}
}

// Form says how a person is asked for a value.
func (FileName) Form() Form { return Form{Kind: FormFile, Min: new(1.0), Max: new(float64(maxFile))} }

// exact is the first number that a float64 may not have exactly; a larger bound
// is none to a person.
const exact = 1 << 53

// Form says how a person is asked for a value.
func (t Int) Form() Form {
	f := Form{Kind: FormNumber}
	if t.Max < exact {
		f.Min, f.Max = new(float64(t.Min)), new(float64(t.Max))
	}
	if t.Word != "" {
		f.Words = []string{t.Word}
	}
	return f
}

// Form says how a person is asked for a value.
func (t Seconds) Form() Form {
	f := t.Int.Form()
	f.Kind = FormTime
	return f
}

// Form says how a person is asked for a value.
func (t Time) Form() Form {
	f := Form{Kind: FormTime}
	if t.Min != 0 || t.Max != 0 {
		f.Min = new(t.Min.Seconds())
	}
	if t.Max != 0 {
		f.Max = new(t.Max.Seconds())
	}
	return f
}

// Form says how a person is asked for a value.
func (Clock) Form() Form { return Form{Kind: FormText} }

// Form says how a person is asked for a value.
func (DateTime) Form() Form { return Form{Kind: FormDate} }

// Form says how a person is asked for a value.
func (Address) Form() Form { return Form{Kind: FormAddress} }

// Form says how a person is asked for a value.
func (Prefix6) Form() Form { return Form{Kind: FormPrefix} }

// Form says how a person is asked for a value.
func (Host) Form() Form { return Form{Kind: FormHost} }

// FormOf gives the form of a type; one that has none is asked for as text.
func FormOf(t Type) Form {
	if f, ok := t.(Former); ok {
		form := f.Form()
		form.Words = slices.Clone(form.Words)
		return form
	}
	return Form{Kind: FormText}
}
