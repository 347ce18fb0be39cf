package script

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gopptp/internal/menu"
)

// resolveTime bounds a look-up of a name.
const resolveTime = 10 * time.Second

// argument gives an argument's expression, or nil.
func argument(c *menu.Call, name string) menu.Expr {
	for _, a := range c.Args {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// value gives the value of an argument that must be there.
func (r run) value(c *menu.Call, name string) (Value, error) {
	e := argument(c, name)
	if e == nil {
		return Value{}, menu.Missing(name)
	}
	return r.evaluate(e)
}

// optional gives the value of an argument, or other if it is not there.
func (r run) optional(c *menu.Call, name string, other Value) (Value, error) {
	if e := argument(c, name); e != nil {
		return r.evaluate(e)
	}
	return other, nil
}

// code carries out an argument that is code. Code that was made elsewhere, by
// :parse, runs as a function.
func (r run) code(c *menu.Call, name string, vars ...pair) (Value, error) {
	e := argument(c, name)
	if e == nil {
		return Value{}, nil
	}
	if b, ok := e.(*menu.Block); ok {
		return r.block(b.Script, vars...)
	}
	f, err := r.evaluate(e)
	if err == nil && f.kind == Str {
		f, err = r.parse(f.text)
	}
	if err != nil {
		return Value{}, err
	}
	if f.kind != Code {
		return Value{}, r.at(e.Position(), menu.Errorf(menu.BadArgument, "invalid value for argument %s", name))
	}
	return r.invoke(e.Position(), f, vars)
}

// variableName gives the variable that an argument names.
func variableName(c *menu.Call, name string) (string, error) {
	if l, ok := argument(c, name).(*menu.Literal); ok {
		return l.Text, nil
	}
	return "", menu.Missing(name)
}

// conversions are the commands that make one value of another.
var conversions = map[string]func(Value) (Value, error){
	"len":    length,
	"tobool": func(v Value) (Value, error) { return toBool(v), nil },
	"toid":   func(v Value) (Value, error) { return toID(v), nil },
	"toip":   func(v Value) (Value, error) { return toIP4(v), nil },
	"toip6":  func(v Value) (Value, error) { return toIP6(v), nil },
	"tonsec": func(v Value) (Value, error) { return toNsec(v), nil },
	"tonum":  func(v Value) (Value, error) { return toNum(v), nil },
	"tostr":  func(v Value) (Value, error) { return Text(v.String()), nil },
	"totime": func(v Value) (Value, error) { return toTime(v), nil },
	"typeof": func(v Value) (Value, error) { return Text(v.typeName()), nil },
}

func length(v Value) (Value, error) {
	if v.kind == Array {
		return Number(int64(len(v.array.list) + len(v.array.dict))), nil
	}
	return Number(int64(len(v.String()))), nil
}

// global carries out a command that belongs to no menu.
func (r run) global(c *menu.Call) (Value, error) {
	if convert := conversions[c.Command.Name]; convert != nil {
		v, err := r.value(c, "value")
		if err != nil {
			return Value{}, err
		}
		v, err = convert(v)
		return v, r.at(c.Pos, err)
	}
	switch c.Command.Name {
	case "put":
		v, err := r.value(c, "message")
		if err != nil {
			return Value{}, err
		}
		_, err = fmt.Fprintln(r.env.Out, v)
		return Value{}, err
	case "local", "global", "set":
		return Value{}, r.variable(c)
	case "if":
		return r.condition(c)
	case "for", "foreach", "while", "do":
		return r.loop(c)
	case "retry":
		return r.retry(c)
	case "convert":
		return r.recode(c)
	case "serialize":
		return r.serialize(c)
	case "deserialize":
		return r.deserialize(c)
	case "rndnum":
		return r.randomNumber(c)
	case "rndstr":
		return r.randomText(c)
	case "timestamp":
		return Interval(time.Duration(time.Now().UnixNano())), nil
	case "jobname":
		return Text(r.env.Name), nil
	case "toarray":
		return r.toArray(c)
	case "onerror":
		return r.onError(c)
	case "return":
		v, err := r.optional(c, "value", Value{})
		if err == nil {
			err = &returned{v}
		}
		return Value{}, err
	case "error":
		v, err := r.value(c, "message")
		if err == nil {
			err = menu.Errorf(menu.Refused, "%s", v)
		}
		return Value{}, err
	case "delay":
		v, err := r.optional(c, "delay-time", Interval(time.Second))
		if err != nil {
			return Value{}, err
		}
		return Value{}, r.delay(c, "delay-time", v)
	case "log":
		return Value{}, r.log(c)
	case "pick":
		return r.pick(c)
	case "find":
		return r.search(c)
	case "resolve":
		return r.resolve(c)
	case "parse":
		v, err := r.value(c, "value")
		if err != nil {
			return Value{}, err
		}
		return r.parse(v.String())
	case "execute":
		return r.execute(c)
	case "time":
		began := time.Now()
		_, err := r.code(c, "command")
		return Interval(time.Since(began)), err
	case "environment":
		return Value{}, r.environment(c)
	}
	return Value{}, nil // :nothing
}

// variable carries out :local, :global and :set.
func (r run) variable(c *menu.Call) error {
	e := argument(c, "name")
	if e == nil {
		return menu.Missing("name")
	}
	v, err := r.optional(c, "value", Value{})
	if err != nil {
		return err
	}
	set := argument(c, "value") != nil
	if do := argument(c, "do"); do != nil {
		if v, err = r.evaluate(do); err != nil {
			return err
		}
		set = true
	}
	l, simple := e.(*menu.Literal)
	switch {
	case c.Command.Name == "set" && simple:
		return r.at(e.Position(), r.assign(l.Text, v))
	case c.Command.Name == "set":
		return r.at(e.Position(), r.put(e, v))
	case !simple || strings.Contains(l.Text, ","):
		return r.at(e.Position(), menu.Errorf(menu.Syntax, "syntax error"))
	case c.Command.Name == "local":
		return r.at(e.Position(), r.declare(l.Text, v))
	}
	if err := r.declareGlobal(l.Text); err != nil || !set {
		return r.at(e.Position(), err)
	}
	return r.at(e.Position(), r.env.Globals.set(r.env.User.Name, l.Text, v))
}

// put gives an element of an array another value, and every array that holds it.
func (r run) put(e menu.Expr, v Value) error {
	if x, ok := e.(*menu.Variable); ok {
		return r.assign(x.Name, v)
	}
	b := e.(*menu.Binary) // the parser lets nothing else through
	key, err := r.evaluate(b.Right)
	if err != nil {
		return err
	}
	holder, err := r.evaluate(b.Left)
	if err != nil {
		return err
	}
	if holder, err = holder.with(key, v); err != nil {
		return err
	}
	return r.put(b.Left, holder)
}

// delay waits.
func (r run) delay(c *menu.Call, name string, v Value) error {
	t := toTime(v)
	if t.kind != Time {
		return r.at(c.Pos, menu.Errorf(menu.BadArgument, "invalid value for argument %s", name))
	}
	timer := time.NewTimer(time.Duration(t.number))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.ctx.Done():
		return r.interrupted()
	}
}

// log writes an entry by the command of /log, which asks for its policy.
func (r run) log(c *menu.Call) error {
	topics, err := r.value(c, "topics")
	if err != nil {
		return err
	}
	message, err := r.value(c, "message")
	if err != nil {
		return err
	}
	severity, err := c.Command.Arg("topics").Type.Parse("topics", topics.String(), nil)
	if err != nil {
		return r.at(c.Pos, err)
	}
	m := r.env.Tree.Root().At("/log")
	_, err = r.env.Tree.Execute(r.ctx, r.env.User, &menu.Request{
		Menu: m, Command: m.Command(severity), Args: map[string]string{"message": message.String()},
	}, nil)
	return err
}

// resolve looks up an address.
func (r run) resolve(c *menu.Call) (Value, error) {
	v, err := r.value(c, "domain-name")
	if err != nil {
		return Value{}, err
	}
	if a, err := netip.ParseAddr(v.String()); err == nil && a.Zone() == "" {
		return Address(a), nil
	}
	kind, err := r.word(c, "type", "ipv4")
	if err != nil {
		return Value{}, err
	}
	ctx, cancel := context.WithTimeout(r.ctx, resolveTime)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, strings.Replace(kind, "v", "", 1), v.String())
	if err := r.interrupted(); err != nil {
		return Value{}, err
	}
	if err != nil || len(found) == 0 {
		return Value{}, r.at(c.Pos, menu.Errorf(menu.Refused, "failure: resolve failed"))
	}
	return Address(found[0].Unmap()), nil
}

// parse makes code of a text.
func (r run) parse(text string) (Value, error) {
	s, err := menu.Parse(text, r.env.Tree.Root(), r.env.At)
	if err != nil {
		return Value{}, err
	}
	return function(s), nil
}

// execute runs a script on its own and gives the id of its job, or runs it with
// as-string and gives what it prints.
func (r run) execute(c *menu.Call) (Value, error) {
	v, err := r.value(c, "script")
	if err != nil {
		return Value{}, err
	}
	if v.kind != Code {
		if v, err = r.parse(v.String()); err != nil {
			return Value{}, err
		}
	}
	if given(c, "as-string") {
		return r.captured(c.Pos, v)
	}
	runner := runnerOf(r.env.Tree)
	if runner == nil {
		return Value{}, r.at(c.Pos, menu.Errorf(menu.Refused, "failure: this system runs no scripts"))
	}
	id, err := runner.start(r.env, v)
	return Value{kind: ID, text: menu.ID(id).String()}, err
}

// given reports whether an argument is there, be it a word that stands alone.
func given(c *menu.Call, name string) bool {
	return slices.ContainsFunc(c.Args, func(a menu.Argument) bool { return a.Name == name })
}

// captured runs code as a function, and gives what it prints.
func (r run) captured(pos menu.Pos, code Value) (Value, error) {
	var out captive
	apart := *r.interp
	apart.env.Out, apart.env.Enter, apart.env.Numbers, apart.env.Pager, apart.env.Person = &out, nil, nil, Pager{}, nil
	r.interp, r.ctx = &apart, context.WithValue(r.ctx, caller{}, &apart.env)
	if _, err := r.invoke(pos, code, nil); err != nil {
		return Value{}, err
	}
	return Text(strings.TrimSuffix(out.String(), "\n")), nil
}

// A captive is output that becomes a value.
type captive struct{ strings.Builder }

func (c *captive) Write(b []byte) (int, error) {
	if c.Len()+len(b) > maxValue {
		return 0, errTooLarge()
	}
	return c.Builder.Write(b)
}

// environment prints the global variables.
func (r run) environment(c *menu.Call) error {
	action, err := r.value(c, "action")
	if err != nil {
		return err
	}
	if _, err := c.Command.Arg("action").Type.Parse("action", action.String(), nil); err != nil {
		return r.at(c.Pos, err)
	}
	for _, v := range r.env.Globals.list() {
		text := v.Value
		if value, _ := r.env.Globals.get(v.Name); value.kind == Str {
			text = menu.Quote(text)
		}
		if _, err := fmt.Fprintf(r.env.Out, "%s=%s\n", menu.Clean(v.Name), text); err != nil {
			return err
		}
	}
	return nil
}

// caught gives the text of an error that a script may handle; otherwise ok is
// false and the error stays: one that comes as the script's time is over is that
// it is over.
func (r run) caught(err error) (text string, ok bool, rest error) {
	var e *menu.Error
	var back *returned
	if err == nil || errors.As(err, &back) || !errors.As(err, &e) {
		return "", false, err
	}
	if over := r.interrupted(); over != nil {
		return "", false, over
	}
	return e.Error(), e.Kind != menu.Interrupted, err
}
