// Package plain makes foreign text, such as file names, safe to print on a terminal and in a log.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line gives s as one line of printable characters. Line ends become "; ". Control characters,
// invisible characters and those that change the direction of text are escaped as in Go. Bytes that
// are not UTF-8 become \x and two digits. Spaces and all other characters stay.
func Line(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return Text(strings.Join(parts, "; "))
}

// Text is Line, but line ends are escaped like other controls.
func Text(s string) string {
	if !strings.ContainsFunc(s, hides) { // RuneError also means bytes that are not UTF-8
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case !hides(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// hides tells whether a character must be escaped. The joiners of Persian, Indic scripts and emoji
// are not, because names need them.
func hides(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return r == utf8.RuneError || !unicode.IsPrint(r) && r != joiner && r != nonJoiner &&
		!unicode.Is(unicode.Zs, r)
}
