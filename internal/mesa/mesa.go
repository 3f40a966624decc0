// Package mesa keeps Mesa's drivers from writing to the standard error of programs of ours: people
// read there what failed, one line each, and scripts count the lines. Libraries must not call it:
// the environment belongs to their hosts.
package mesa

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
)

// Quiet settles by the environment, before a driver is loaded, what Mesa would say by itself. Its
// log goes nowhere unless $MESA_LOG_FILE names a file (/dev/stderr shows it), and its cache of
// kernels is switched off where it cannot be had, which Mesa would tell every time. What is fatal
// (LLVM's last words) is still written: nothing else tells it then.
func Quiet() {
	if runtime.GOOS == "windows" {
		return
	}
	if _, set := os.LookupEnv("MESA_LOG_FILE"); !set {
		os.Setenv("MESA_LOG_FILE", os.DevNull)
	}
	if _, set := os.LookupEnv("MESA_SHADER_CACHE_DISABLE"); !set && !cached() {
		os.Setenv("MESA_SHADER_CACHE_DISABLE", "true")
	}
}

// cached tells whether Mesa's cache can be had: where it looks for it, in its order, making the
// folders that it would make.
func cached() bool {
	for _, name := range []string{"MESA_SHADER_CACHE_DIR", "MESA_GLSL_CACHE_DIR"} {
		if dir := os.Getenv(name); dir != "" {
			return folder(dir) && folder(filepath.Join(dir, "mesa_shader_cache"))
		}
	}
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home := os.Getenv("HOME")
		if home == "" {
			u, err := user.Current()
			if err != nil {
				return true // Mesa may know better
			}
			home = u.HomeDir
		}
		dir = filepath.Join(home, ".cache")
	}
	return folder(dir) && folder(filepath.Join(dir, "mesa_shader_cache"))
}

// folder makes one, unless it is there. Mesa makes no parents either.
func folder(path string) bool {
	err := os.Mkdir(path, 0o755)
	if !errors.Is(err, fs.ErrExist) {
		return err == nil
	}
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
