package console

import "strings"

// open gives the bracket or quote that is open at the end of a text, or the
// backslash that ends it; empty if the text is whole. It knows no more of the
// syntax than where brackets count: not in a remark, and in a string only those
// of "$[command]" and "$(expression)".
func open(text string) string {
	var stack []byte
	top := func() byte {
		if len(stack) == 0 {
			return 0
		}
		return stack[len(stack)-1]
	}
	start := true // a command may start here, and so may a remark
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' {
			if rest := text[i+1:]; rest == "" || rest == "\r" {
				return `\`
			}
			i++
			start = false
			continue
		}
		if top() == '"' {
			switch {
			case c == '"':
				stack = stack[:len(stack)-1]
			case c == '$' && i+1 < len(text) && (text[i+1] == '[' || text[i+1] == '('):
				i++
				stack = append(stack, text[i])
			}
			continue
		}
		switch c {
		case '#':
			if start {
				end := strings.IndexByte(text[i:], '\n')
				if end < 0 {
					end = len(text) - i
				}
				i += end - 1
				continue
			}
		case '"', '[', '(', '{':
			stack = append(stack, c)
		case ']', ')', '}':
			// One that closes nothing is for the parser to complain about.
			if c == closing(top()) {
				stack = stack[:len(stack)-1]
			} else {
				return ""
			}
		}
		start = strings.IndexByte(";\n{[", c) >= 0 || start && (c == ' ' || c == '\t' || c == '\r')
	}
	if len(stack) == 0 {
		return ""
	}
	return string(top())
}

// closing gives the bracket that closes one.
func closing(c byte) byte {
	switch c {
	case '[':
		return ']'
	case '(':
		return ')'
	case '{':
		return '}'
	}
	return 0
}
