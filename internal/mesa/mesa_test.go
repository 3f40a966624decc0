package mesa

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestQuiet(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no Mesa on Windows")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	blocked := filepath.Join(dir, "blocked")
	if err := os.Mkdir(blocked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(blocked, "mesa_shader_cache"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	variables := []string{"MESA_LOG_FILE", "MESA_SHADER_CACHE_DISABLE", "MESA_SHADER_CACHE_DIR",
		"MESA_GLSL_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}
	for name, c := range map[string]struct {
		set      map[string]string
		log, off string
	}{
		"a home": {map[string]string{"HOME": dir}, os.DevNull, ""},
		"a home that is none": {map[string]string{"HOME": filepath.Join(dir, "no", "where")},
			os.DevNull, "true"},
		"a cache that is none": {map[string]string{"HOME": dir, "XDG_CACHE_HOME": file}, os.DevNull,
			"true"},
		"a new cache": {map[string]string{"XDG_CACHE_HOME": filepath.Join(dir, "new")},
			os.DevNull, ""},
		"Mesa's own": {map[string]string{"XDG_CACHE_HOME": file,
			"MESA_SHADER_CACHE_DIR": dir}, os.DevNull, ""},
		"Mesa's own, blocked": {map[string]string{"MESA_SHADER_CACHE_DIR": blocked}, os.DevNull,
			"true"},
		"what people say": {map[string]string{"HOME": file, "MESA_LOG_FILE": "log",
			"MESA_SHADER_CACHE_DISABLE": "false"}, "log", "false"},
	} {
		for _, v := range variables {
			t.Setenv(v, "") // so that it is restored afterwards
			os.Unsetenv(v)
			if value, set := c.set[v]; set {
				os.Setenv(v, value)
			}
		}
		Quiet()
		if log, off := os.Getenv("MESA_LOG_FILE"),
			os.Getenv("MESA_SHADER_CACHE_DISABLE"); log != c.log || off != c.off {
			t.Errorf("%s: log %q, cache off %q; want %q, %q", name, log, off, c.log, c.off)
		}
	}
}
