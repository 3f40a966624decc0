package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A pipeline cache file is this mark, the SHA-256 of the rest, and the rest: what vkGetPipelineCacheData gave. The sum
// matters because drivers are known to crash on damaged data.
const (
	cacheMark    = "VFMPIPE1"
	cacheMaxSize = 256 << 20
)

// pipelineCache is a VkPipelineCache with its file. All failures of the file are ignored: a cache only saves time.
type pipelineCache struct {
	d      *Device
	handle vkPipelineCache
	path   string // "": no file
	mu     sync.Mutex
	dirty  atomic.Bool
	saved  [sha256.Size]byte // sum of what the file holds
	loaded int               // bytes of valid data found in the file
}

func (c *pipelineCache) open(d *Device, dir string) error {
	c.d = d
	c.path = cachePath(dir, d.info)
	data, sum := readCache(c.path)
	c.saved, c.loaded = sum, len(data)
	var h C.uint64_t
	r := C.vfm_cache_create(d.c, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)), &h)
	if r < 0 && len(data) > 0 { // the driver does not like it: begin anew
		c.loaded = 0
		r = C.vfm_cache_create(d.c, nil, 0, &h)
	}
	if r < 0 {
		return d.fail(int(r), "vkCreatePipelineCache", d.info.Name)
	}
	c.handle = typed[vkPipelineCache](h)
	return nil
}

// cachePath names the file: one for each device, driver version and cache format of the driver.
func cachePath(dir string, i Info) string {
	switch dir {
	case "-":
		return ""
	case "":
		base, err := os.UserCacheDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(base, "vfmrestore")
	}
	return filepath.Join(dir, fmt.Sprintf("pipelines-%04x-%04x-%08x-%x-%x.bin", i.VendorID, i.DeviceID, i.driverVersion,
		i.deviceUUID[:], i.cacheUID[:]))
}

func readCache(path string) (data []byte, sum [sha256.Size]byte) {
	b := readRegular(path, cacheMaxSize)
	const head = len(cacheMark) + sha256.Size
	if len(b) <= head || string(b[:len(cacheMark)]) != cacheMark {
		return nil, sum
	}
	sum = sha256.Sum256(b[head:])
	if !bytes.Equal(sum[:], b[len(cacheMark):head]) {
		return nil, [sha256.Size]byte{}
	}
	return b[head:], sum
}

// readRegular reads a file that is a plain one of at most so many bytes; nil for any other.
func readRegular(path string, most int64) []byte {
	if path == "" {
		return nil
	}
	if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() || st.Size() > most {
		return nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// touch notes that a pipeline was built.
func (c *pipelineCache) touch() { c.dirty.Store(true) }

// save writes the file if the cache has changed.
func (c *pipelineCache) save() {
	if c.path == "" || !c.dirty.Swap(false) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var p unsafe.Pointer
	var n C.size_t
	if C.vfm_cache_data(c.d.c, raw(c.handle), &p, &n) != resultSuccess || p == nil {
		return
	}
	defer C.free(p)
	if n > cacheMaxSize {
		return
	}
	data := unsafe.Slice((*byte)(p), int(n))
	sum := sha256.Sum256(data)
	if sum == c.saved {
		return
	}
	if writeCache(c.path, sum, data) == nil {
		c.saved = sum
	}
}

func writeCache(path string, sum [sha256.Size]byte, data []byte) error {
	return replaceFile(path, []byte(cacheMark), sum[:], data)
}

// replaceFile writes the parts to a file of the cache directory through a temporary one, so that other processes never see half of it.
func replaceFile(path string, parts ...[]byte) (err error) {
	if err = os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".pipelines-*")
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// close saves and destroys the cache.
func (c *pipelineCache) close() {
	c.save()
	vkDestroyPipelineCache(c.d.handle, c.handle, nil)
}
