package restore

import (
	"os"
	"strings"
	"testing"
)

// The Go code of the camera engineer's page is that of the example, which is compiled and run.
func TestCodeInDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/CAMERA.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, ok := strings.Cut(string(page), "```go\n")
	code, _, end := strings.Cut(code, "```")
	if !ok || !end || strings.Count(code, "\n") < 10 {
		t.Fatal("no code in docs/CAMERA.md")
	}
	rest := string(example)
	for line := range strings.Lines(code) {
		line = strings.TrimSpace(line)
		at := strings.Index(rest, line)
		if at < 0 {
			t.Fatalf("%q of docs/CAMERA.md does not stand in example_test.go, or not in this order", line)
		}
		rest = rest[at+len(line):]
	}
}
