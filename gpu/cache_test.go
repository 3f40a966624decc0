package gpu

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/cachefile"
)

func TestPipelineCacheFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "cache")
	session := func() (loaded int, path string) {
		d := openTest(t, Options{CacheDir: dir})
		loaded, path = d.cache.loaded, d.cache.path
		p := must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Name: "axpb", Code: axpbCode, Bindings: 3, PushBytes: 8}))
		checkAxpb(t, d, p, 77, Local)
		d.Close()
		return loaded, path
	}
	loaded, path := session()
	if loaded != 0 {
		t.Fatalf("%d bytes loaded from nowhere", loaded)
	}
	good := must[[]byte](t)(os.ReadFile(path))
	if !bytes.HasPrefix(good, []byte(cacheMark)) {
		t.Fatalf("%s begins with %q", path, good[:8])
	}
	if loaded, _ = session(); loaded == 0 || loaded != len(good)-len(cacheMark)-32 {
		t.Errorf("%d bytes loaded from a file of %d", loaded, len(good))
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 0x10
	for name, bad := range map[string][]byte{
		"flipped": flipped, "cut": good[:len(good)-5], "empty": nil, "head": good[:20], "noise": randomBytes(len(good)),
		"mark": append([]byte("XX"), good[2:]...),
	} {
		ok(t, os.WriteFile(path, bad, 0o600))
		if loaded, _ := session(); loaded != 0 {
			t.Errorf("%s: %d bytes loaded", name, loaded)
		}
		if now := must[[]byte](t)(os.ReadFile(path)); bytes.Equal(now, bad) {
			t.Errorf("%s: the damaged file was left as it is", name)
		}
	}
	// The checksum is valid, but the driver did not write the data. It must cope.
	junk := randomBytes(500)
	ok(t, cachefile.Write(path, cacheMark, cachefile.SumOf(junk), junk))
	d := openTest(t, Options{CacheDir: dir})
	p := must[[]*Pipeline](t)(d.NewPipelines([]PipelineDesc{{Code: axpbCode, Bindings: 3, PushBytes: 8}, {Code: incrCode, Bindings: 1}}))
	checkAxpb(t, d, p[0], 77, Local)
	d.Close()
	left := must[[]os.DirEntry](t)(os.ReadDir(dir))
	others := slices.DeleteFunc(left, func(e os.DirEntry) bool { return d.primed.path != "" && e.Name() == filepath.Base(d.primed.path) })
	if len(others) != 1 || others[0].Name() != filepath.Base(path) {
		t.Errorf("left in the cache directory: %v", others)
	}
}

func TestPipelineCacheUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	// no directory can be made there
	d := openTest(t, Options{CacheDir: filepath.Join(file, "sub")})
	checkAxpb(t, d, must[*Pipeline](t)(d.NewPipeline(PipelineDesc{Code: axpbCode, Bindings: 3, PushBytes: 8})), 10, Local)
	d.Close()
	if cachePath("-", d.Info()) != "" {
		t.Error(`"-" names a file`)
	}
	t.Setenv("XDG_CACHE_HOME", "/somewhere")
	t.Setenv("HOME", "/somewhere/else")
	if p := cachePath("", d.Info()); !filepath.IsAbs(p) || filepath.Base(filepath.Dir(p)) != "vfmrestore" {
		t.Errorf("default cache file %s", p)
	}
	other := d.Info()
	other.driverVersion++
	if cachePath("x", other) == cachePath("x", d.Info()) {
		t.Error("two driver versions share a cache file")
	}
}
