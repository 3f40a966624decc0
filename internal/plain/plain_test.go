package plain

import "testing"

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"a photo, größer 写真.png":            "a photo, größer 写真.png",
		"two\r\nlines\n":                    "two; lines",
		"\x1b[2Jgone":                       `\x1b[2Jgone`,
		"\u009b31mred":                      `\u009b31mred`,
		"\x9b31mred":                        `\x9b31mred`,
		"bell\a tab\t del\x7f":              `bell\x07 tab\x09 del\x7f`,
		"photo\u202egnp.exe":                `photo\u202egnp.exe`,
		"iso\u2066late\u2069 \u200fmark":    `iso\u2066late\u2069 \u200fmark`,
		"zero\u200bwidth\ufeff":             `zero\u200bwidth\ufeff`,
		"lat\xe9n":                          `lat\xe9n`,
		"tag\U000e0041":                     `tag\U000e0041`,
		"family \U0001f468\u200d\U0001f469": "family \U0001f468\u200d\U0001f469",
		"line\u2028separator":               `line\u2028separator`,
		"no\u00a0break":                     "no\u00a0break",
	} {
		if got := Line(in); got != want {
			t.Errorf("Line(%q) = %q, want %q", in, got, want)
		}
	}
}
