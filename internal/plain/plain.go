// Package plain makes text that others wrote, such as file names, safe to print: on a terminal and in a log it changes nothing but the line it stands in.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is s as one line of printable characters. Line ends become "; ". Characters that a terminal obeys (escape and other controls), that turn the direction of
// writing or that nobody sees are written as Go escapes them, and bytes that are not UTF-8 as \x and two digits. Spaces and all other letters stay.
func Line(s string) string {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' })
	return Text(strings.Join(parts, "; "))
}

// Text is Line, but line ends are escaped like other controls.
func Text(s string) string {
	if !strings.ContainsFunc(s, hides) { // RuneError stands for bytes that are not UTF-8, too
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

// hides tells characters that are not for print. The joiners of Persian, Indic scripts and emoji are, as names hold them for good reasons.
func hides(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return r == utf8.RuneError || !unicode.IsPrint(r) && r != joiner && r != nonJoiner && !unicode.Is(unicode.Zs, r)
}
