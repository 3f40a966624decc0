//go:build unix

package interrupt

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"
)

const asProgram = "VFM_INTERRUPT_TEST"

// TestMain is also the program under test. It never finishes ending in order.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := Context(func() { fmt.Println("first") })
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("cancelled")
	time.Sleep(time.Hour)
}

// The first signal cancels the context; the second ends the program at once.
func TestSecondSignal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(s) {
			continue // for example under nohup: ignored signals stay ignored
		}
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		expect := func(want string) {
			if !lines.Scan() || lines.Text() != want {
				t.Errorf("%v: the program says %q, not %q", s, lines.Text(), want)
			}
		}
		expect("ready")
		cmd.Process.Signal(s)
		expect("first")
		expect("cancelled")
		cmd.Process.Signal(s)
		cmd.Wait()
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() ||
			status.Signal() != s {
			t.Errorf("%v: the program ended by %v", s, cmd.ProcessState)
		}
	}
	if list := Signals(); !slices.Contains(list, os.Signal(syscall.SIGTERM)) {
		t.Errorf("a program ends with %v", list)
	}
}
