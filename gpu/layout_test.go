package gpu

import (
	"os/exec"
	"strings"
	"testing"
)

// headers is the binding with the newer Vulkan headers. They are used whichever binding is built.
const headers = "github.com/goki/vulkan"

// The shim declares the Vulkan structs itself. This test compares them with the headers in the
// binding's module.
func TestShimLayout(t *testing.T) {
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no cc")
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", headers).Output()
	if err != nil || strings.TrimSpace(string(dir)) == "" {
		t.Skipf("the module %s is not at hand: %v", headers, err)
	}
	if out, err := exec.Command(cc, "-fsyntax-only", "-I", strings.TrimSpace(string(dir)), "testdata/layout.c").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
