// Package mesa keeps Mesa's drivers from writing to standard error, where our programs report
// failures, one per line. Libraries must not call it, because the environment belongs to their host
// program.
package mesa

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
)

// Quiet sets environment variables for Mesa. It must be called before a driver is loaded. Mesa's
// log is discarded unless $MESA_LOG_FILE names a file (/dev/stderr shows it). The shader cache is
// disabled if its directory cannot be created, because Mesa would report that each time. Fatal
// errors of LLVM are still written, because nothing else reports them.
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

// cached tells whether Mesa's cache can be used. It checks the directories in Mesa's order and
// creates those that Mesa would create.
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
				return true // Mesa may find another one
			}
			home = u.HomeDir
		}
		dir = filepath.Join(home, ".cache")
	}
	return folder(dir) && folder(filepath.Join(dir, "mesa_shader_cache"))
}

// folder creates a directory unless it exists. Like Mesa it does not create parents.
func folder(path string) bool {
	err := os.Mkdir(path, 0o755)
	if !errors.Is(err, fs.ErrExist) {
		return err == nil
	}
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}
