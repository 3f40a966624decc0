package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	return runWith(t, nil, name, args...)
}

// runWith is run with additional environment.
func runWith(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// The library is built and installed as users do it. Then programs in C and Python are compiled
// against the installed files and run, also with pkg-config and CMake if these are installed.
func TestLibrary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test names a .so")
	}
	dir := t.TempDir()
	build, root := filepath.Join(dir, "build"), filepath.Join(dir, "root")
	run(t, "../../scripts/lib.sh", "build", build)
	const prefix = "/opt/some where"
	runWith(t, []string{"VERSION=v1.4.2-3-gabcdef", "DESTDIR=" + root, "PREFIX=" + prefix}, "../../scripts/lib.sh", "install", build)
	runWith(t, []string{"VERSION=v1.4.2-3-gabcdef", "DESTDIR=" + root, "PREFIX=" + prefix}, "../../scripts/lib.sh", "install", build) // again, over it
	lib, include := filepath.Join(root, prefix, "lib"), filepath.Join(root, prefix, "include")
	for _, name := range []string{"libvfm.so", "libvfm.so.1", "pkgconfig/vfm.pc", "cmake/vfm/vfm-config.cmake", "cmake/vfm/vfm-config-version.cmake"} {
		if _, err := os.Stat(filepath.Join(lib, name)); err != nil {
			t.Error(err)
		}
	}
	t.Run("symbols", func(t *testing.T) { symbols(t, filepath.Join(lib, "libvfm.so.1")) })
	compile := func(t *testing.T, source string, args ...string) string {
		t.Helper()
		program := filepath.Join(dir, strings.TrimSuffix(filepath.Base(source), filepath.Ext(source)))
		run(t, "cc", append([]string{"-std=c99", "-Wall", "-Wextra", "-Werror", "-I" + include, source, "-o", program, "-L" + lib, "-lvfm", "-lm", "-lpthread", "-Wl,-rpath," + lib}, args...)...)
		return program
	}
	for source, lines := range map[string][]string{
		"example/example.c": {"libvfm unknown on ", "squared error", "frame 4 at 160 ms: ", "a mistake: "},
		"example/faults.c": {"names in errors are quoted", "absurd sizes are refused", "absurd counts are refused", "structures of another size", "planes and formats that do not fit", "zero values mean what the header says",
			"submits that wait notice the end"},
		"example/frames.c": {"devices: ", "frames keep their codes in every layout", "frames bring masks and sizes", "the oldest frames are dropped", "cancelled calls end",
			"temperatures mean", "mosaics become pictures"},
		"example/dynamic.c": {"signals are the program's own", "opened, closed and opened again"},
	} {
		t.Run(source, func(t *testing.T) {
			var args, libs []string
			if source == "example/dynamic.c" {
				args, libs = []string{filepath.Join(lib, "libvfm.so.1")}, []string{"-ldl"}
			}
			out := run(t, compile(t, source, libs...), args...)
			for _, words := range lines {
				if !strings.Contains(out, words) {
					t.Errorf("it does not say %q:\n%s", words, out)
				}
			}
		})
	}
	t.Run("example.py", func(t *testing.T) {
		python, err := exec.LookPath("python3")
		if err != nil {
			t.Skip("no Python")
		}
		if out := run(t, python, "example/example.py", filepath.Join(lib, "libvfm.so.1")); !strings.Contains(out, "became") {
			t.Errorf("it says %s", out)
		}
	})
	t.Run("pipeline.c", func(t *testing.T) { pipeline(t, compile(t, "example/pipeline.c")) })
	t.Run("GStreamer", func(t *testing.T) { element(t, build, root, prefix) })
	t.Run("C++", func(t *testing.T) {
		if _, err := exec.LookPath("c++"); err != nil {
			t.Skip("no C++ compiler")
		}
		source := filepath.Join(dir, "plus.cc")
		if err := os.WriteFile(source, []byte("#include <vfm.h>\nint main() { return vfm_abi() == VFM_ABI ? 0 : 1; }\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		program := filepath.Join(dir, "plus")
		run(t, "c++", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I"+include, source, "-o", program, "-L"+lib, "-lvfm", "-Wl,-rpath,"+lib)
		run(t, program)
	})
	t.Run("pkg-config", func(t *testing.T) {
		if _, err := exec.LookPath("pkg-config"); err != nil {
			t.Skip("no pkg-config")
		}
		env := []string{"PKG_CONFIG_LIBDIR=" + filepath.Join(lib, "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR=" + root}
		if out := runWith(t, env, "pkg-config", "--modversion", "vfm"); out != "1.4.2\n" {
			t.Errorf("version %q", out)
		}
		flags := runWith(t, env, "pkg-config", "--cflags", "--libs", "vfm")
		program := filepath.Join(dir, "configured")
		run(t, "sh", "-c", "cc "+strings.TrimSpace(flags)+" example/example.c -o '"+program+"' "+strings.TrimSpace(flags)+" -lm '-Wl,-rpath,"+lib+"'")
	})
	t.Run("CMake", func(t *testing.T) {
		if _, err := exec.LookPath("cmake"); err != nil {
			t.Skip("no CMake")
		}
		project := filepath.Join(dir, "project")
		source, err := filepath.Abs("example/example.c")
		if err != nil {
			t.Fatal(err)
		}
		text := "cmake_minimum_required(VERSION 3.10)\nproject(p C)\nfind_package(vfm 1.2 REQUIRED)\nadd_executable(p " + source + ")\ntarget_link_libraries(p vfm::vfm m)\n"
		if err := os.Mkdir(project, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(project, "CMakeLists.txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		run(t, "cmake", "-S", project, "-B", project+"/b", "-DCMAKE_PREFIX_PATH="+filepath.Join(root, prefix))
		run(t, "cmake", "--build", project+"/b")
		run(t, project+"/b/p")
	})
}

// symbols compares the symbols of the library with the declarations of the header.
func symbols(t *testing.T, lib string) {
	header, err := os.ReadFile("vfm.h")
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	_, functions, _ := strings.Cut(string(header), "#ifndef VFM_TYPES_ONLY")
	for _, m := range regexp.MustCompile(`(?m)^[a-z][a-z0-9_ ]*[ *](vfm_\w+)\(`).FindAllStringSubmatch(functions, -1) {
		declared = append(declared, m[1])
	}
	slices.Sort(declared)
	if len(declared) < 20 {
		t.Fatalf("only %d functions in vfm.h", len(declared))
	}
	var shown []string
	for line := range strings.Lines(run(t, "nm", "-D", "--defined-only", lib)) {
		if f := strings.Fields(line); len(f) == 3 && f[1] != "A" {
			name, _, _ := strings.Cut(f[2], "@")
			shown = append(shown, name)
		}
	}
	slices.Sort(shown)
	if !slices.Equal(declared, shown) {
		t.Errorf("vfm.h declares %v\nthe library shows %v", declared, shown)
	}
	dynamic := run(t, "readelf", "-d", lib)
	for _, words := range []string{"[libvfm.so.1]", "NODELETE"} {
		if !strings.Contains(dynamic, words) {
			t.Errorf("the library is not %s:\n%s", words, dynamic)
		}
	}
}
