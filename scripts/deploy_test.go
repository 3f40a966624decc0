package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// systemd accepts the units without a warning, and the package does not enable them.
func TestUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd")
	}
	units, err := filepath.Glob("systemd/*@.*")
	if err != nil || len(units) != 2 {
		t.Fatalf("units %q: %v", units, err)
	}
	dir := t.TempDir()
	args := []string{"verify", "--recursive-errors=no"} // ignore errors of other units
	for _, unit := range units {
		// systemd checks that the program exists.
		s := strings.ReplaceAll(text(t, unit), "/usr/bin/restore", "/bin/true")
		path := filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	switch out, err := exec.Command(analyze, args...).CombinedOutput(); {
	case strings.Contains(string(out), "unrecognized option"):
		t.Skip("an old systemd")
	case err != nil || strings.Contains(string(out), "restore-folder"):
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(text(t, "deb.sh"), "postinst") || strings.Contains(text(t, "deb.sh"), "systemctl") {
		t.Error("the package may enable the units")
	}
}

// The image installs the package and what it recommends.
func TestDockerfile(t *testing.T) {
	file, deb := text(t, "Dockerfile"), text(t, "deb.sh")
	image := regexp.MustCompile(`FROM debian:(\d+)-slim\n`).FindStringSubmatch(file)
	if image == nil {
		t.Fatal("the image is not based on Debian")
	}
	_, run, ok := strings.Cut(strings.ReplaceAll(file, "\\\n", ""), "\nRUN ")
	if !ok {
		t.Fatal("no RUN")
	}
	run, _, _ = strings.Cut(run, "\n")
	run = regexp.MustCompile(`--mount=\S+`).ReplaceAllString(run, "")
	if out, err := exec.Command("sh", "-n", "-c", run).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	_, install, _ := strings.Cut(run, "apt-get install ")
	install, _, _ = strings.Cut(install, "&&")
	asked := regexp.MustCompile(`vulkan="Recommends: (.*)"`).FindStringSubmatch(deb)
	if asked == nil {
		t.Fatal("deb.sh does not say what is recommended")
	}
	for name := range strings.SplitSeq(asked[1], ", ") {
		if !slices.Contains(strings.Fields(install), name) {
			t.Errorf("%s is not installed", name)
		}
	}
	if !strings.Contains(install, "/packages/vfm-restore_*_") || !strings.Contains(deb, `"$out/$1_${number}_$2.deb"`) || !strings.Contains(deb, "package vfm-restore ") {
		t.Error("the package has another name")
	}
	if !strings.Contains(file, `ENTRYPOINT ["/usr/bin/restore"]`) || !strings.Contains(deb, `"$work/vfm-restore/usr/bin/restore"`) {
		t.Error("the package does not have the image's program")
	}
	if regexp.MustCompile(`(?m)^USER [1-9]\d*$`).FindString(file) == "" {
		t.Error("it runs as root, or as a named user, which Kubernetes may take for root")
	}
	if !strings.Contains(text(t, "/etc/os-release"), `VERSION_ID="`+image[1]+`"`) {
		t.Skip("not the image's Debian: commands are not checked")
	}
	for part := range strings.SplitSeq(run, "&&") {
		if name := strings.Fields(part)[0]; exec.Command("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; command -v "+name).Run() != nil {
			t.Errorf("there is no command %s", name)
		}
	}
}
