package gpu

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The loader is opened once per process. So a child process tests what happens without it: this
// test binary with VFM_GPU_TEST_CHILD set, which prints the error of Open.
func TestMain(m *testing.M) {
	if mode := os.Getenv("VFM_GPU_TEST_CHILD"); mode != "" {
		_, err := Open(Options{Validation: mode == "validation", CacheDir: "-"})
		_, listErr := List()
		fmt.Printf("%T %t | %v | List: %T", err, errors.Is(err, ErrNoValidation), err, listErr)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(t *testing.T, mode string, env ...string) string {
	t.Helper()
	exe := must[string](t)(os.Executable())
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), "VFM_GPU_TEST_CHILD="+mode), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("child: %v\n%s", err, out)
	}
	return string(out)
}

func TestNoLoader(t *testing.T) {
	for _, lib := range []string{filepath.Join(t.TempDir(), "libvulkan.so.1"), "/dev/null"} {
		out := child(t, "plain", "VFM_VULKAN_LOADER="+lib)
		if !strings.HasPrefix(out, "*gpu.NoLoaderError") || !strings.Contains(out, lib) || !strings.Contains(out, "install") ||
			!strings.HasSuffix(out, "List: *gpu.NoLoaderError") {
			t.Errorf("loader %s: %s", lib, out)
		}
	}
}

func TestNotALoader(t *testing.T) {
	out := child(t, "plain", "VFM_VULKAN_LOADER=libm.so.6")
	if !strings.HasPrefix(out, "*gpu.NoLoaderError") {
		t.Error(out)
	}
}

func TestNoDriver(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none.json")
	out := child(t, "plain", "VK_DRIVER_FILES="+none, "VK_ICD_FILENAMES="+none)
	if !strings.HasPrefix(out, "*gpu.NoDriverError") || !strings.Contains(out, "install") || !strings.Contains(out, "VK_DRIVER_FILES") ||
		!strings.HasSuffix(out, "List: *gpu.NoDriverError") {
		t.Error(out)
	}
}

func TestNoValidationLayer(t *testing.T) {
	dir := t.TempDir()
	out := child(t, "validation", "VK_LAYER_PATH="+dir, "XDG_DATA_DIRS="+dir, "XDG_DATA_HOME="+dir)
	if !strings.Contains(out, "true |") || !strings.Contains(out, "VK_LAYER_KHRONOS_validation") {
		t.Error(out)
	}
}
