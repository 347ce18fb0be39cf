package script

import (
	"context"

	"gopptp/internal/menu"
)

// A Query is a question to a person.
type Query struct {
	Prompt string
	Secret bool       // what is typed is not shown
	Items  *menu.Menu // of which items are asked for; nil for something else
}

// A Person sits at the terminal where a command was typed.
type Person struct {
	// Ask gives what they answer.
	Ask func(ctx context.Context, q Query) (string, error)
	// Edit lets them change a text on the whole screen. saved is false if they want
	// it as it was.
	Edit func(ctx context.Context, text string) (changed string, saved bool, err error)
}

// valueName is the argument that names a property.
const valueName = "value-name"

// ask asks the person for what a command lacks: its items, what add requires, the
// property to edit. Where there is no person, the tree says what is missing.
func (r run) ask(c *menu.Call, q *menu.Request) error {
	p := r.env.Person
	if p == nil || !r.env.User.May(c.Command.Policy) {
		return nil
	}
	if c.Command.Arg(menu.Numbers) != nil && q.Items == nil {
		text, err := p.Ask(r.ctx, Query{Prompt: menu.Numbers + ": ", Items: c.Menu})
		if err != nil {
			return err
		}
		if text != "" {
			if q.Items, err = r.listed(c.Menu, text); err != nil {
				return err
			}
		}
	}
	switch c.Command.Name {
	case "edit":
		if _, given := q.Args[valueName]; !given {
			text, err := p.Ask(r.ctx, Query{Prompt: valueName + ": "})
			if err != nil {
				return err
			}
			q.Args[valueName] = text
		}
	case "add":
		return r.askRequired(p, q)
	}
	return nil
}

// askRequired asks for the properties that an item cannot be without.
func (r run) askRequired(p *Person, q *menu.Request) error {
	if _, copied := q.Args["copy-from"]; copied {
		return nil
	}
	given := map[string]bool{}
	for _, v := range q.Values {
		given[v.Name] = true
	}
	for i := range q.Menu.Properties {
		property := &q.Menu.Properties[i]
		if !property.Required || given[property.Name] {
			continue
		}
		text, err := p.Ask(r.ctx, Query{Prompt: property.Name + ": ", Secret: property.Sensitive})
		if err != nil {
			return err
		}
		if text != "" { // or the tree says what is missing
			q.Values = append(q.Values, menu.Assignment{Name: property.Name, Value: text})
		}
	}
	return nil
}

// edit lets the person edit a property of an item, and sets it.
func (r run) edit(q *menu.Request) error {
	if r.env.Person == nil {
		return menu.Errorf(menu.Refused, "failure: edit needs a terminal")
	}
	var names []string
	for i := range q.Menu.Properties {
		if p := &q.Menu.Properties[i]; p.Settable() {
			names = append(names, p.Name)
		}
	}
	name, err := menu.Words(names...).Parse(valueName, q.Args[valueName], nil)
	if err != nil {
		return err
	}
	p := q.Menu.Property(name)
	if p.Sensitive && !r.env.User.May(menu.Sensitive) {
		return menu.Errorf(menu.Forbidden, "not enough permissions (9)")
	}
	get := &menu.Request{Menu: q.Menu, Command: q.Menu.Command("get"), Items: q.Items, Args: map[string]string{valueName: name}}
	texts, err := r.env.Tree.Execute(r.ctx, r.env.User, get, nil)
	if err != nil {
		return err
	}
	before := texts[0]
	if text := p.Type.Text(before); text != before {
		if back, err := p.Type.Parse(name, text, nil); err == nil && back == before {
			before = text // yes rather than true
		}
	}
	after, saved, err := r.env.Person.Edit(r.ctx, before)
	if err != nil || !saved || after == before {
		return err
	}
	set := &menu.Request{
		Menu: q.Menu, Command: q.Menu.Command("set"), Items: q.Items, Args: map[string]string{},
		Values: []menu.Assignment{{Name: name, Value: after}},
	}
	_, err = r.env.Tree.Execute(r.ctx, r.env.User, set, nil)
	return err
}
