package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/vfmrestore/restore/internal/plain"
)

// oneLine turns a text into one line without control characters. Texts of drivers and file names
// may hold any bytes.
func oneLine(s string) string { return plain.Line(s) }

// name is a file's name, or a text that contains one, in JSON. Bytes that are not UTF-8 become
// U+DC80 to U+DCFF, as in Python's surrogateescape, so that no name is lost; encoding/json alone
// would replace them. Control characters are escaped, so that no terminal acts on them.
type name string

func (n name) MarshalJSON() ([]byte, error) {
	b := []byte{'"'}
	for s := string(n); len(s) > 0; {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b = fmt.Appendf(b, `\udc%02x`, s[0])
		case r < 0x80:
			text, err := json.Marshal(s[:1])
			if err != nil {
				return nil, err
			}
			if r == 0x7f {
				text = []byte(`"\u007f"`)
			}
			b = append(b, text[1:len(text)-1]...)
		case plain.Text(s[:size]) != s[:size]:
			for _, unit := range utf16Of(r) {
				b = fmt.Appendf(b, `\u%04x`, unit)
			}
		default:
			b = append(b, s[:size]...)
		}
		s = s[size:]
	}
	return append(b, '"'), nil
}

// utf16Of returns a character as one or two UTF-16 units, which JSON escapes.
func utf16Of(r rune) []rune {
	if r < 0x10000 {
		return []rune{r}
	}
	r -= 0x10000
	return []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
}

// appendJSON returns v as one line of JSON. HTML characters are not escaped.
func appendJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
