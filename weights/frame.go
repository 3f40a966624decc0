package weights

import (
	"github.com/klauspost/compress/zstd"
)

// checkFrame checks that data is exactly one zstd frame, and that the frame does not claim to hold
// more than limit bytes. It walks through the block headers (RFC 8878, 3.1.1.2) without
// decompressing anything. Without this check the decoder would read any number of frames one after
// another, and skip frames of the skippable kind.
func checkFrame(data []byte, limit int64) error {
	const where = "zstd frame"
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return &FormatError{Where: where, What: "this does not begin like a .vfm file", Err: err}
	}
	if h.Skippable {
		return bad(where, "this does not begin like a .vfm file: it is a skippable frame")
	}
	if h.DictionaryID != 0 {
		return bad(where, "it needs dictionary %d", h.DictionaryID)
	}
	if h.HasFCS && h.FrameContentSize > uint64(limit) {
		return bad(where, "it says it holds %d bytes, more than the %d allowed", h.FrameContentSize, limit)
	}
	at := h.HeaderSize
	for last := false; !last; {
		if len(data)-at < 3 {
			return bad(where, "the file is cut off")
		}
		block := int(data[at]) | int(data[at+1])<<8 | int(data[at+2])<<16
		at += 3
		last = block&1 == 1
		size := block >> 3
		if kind := block >> 1 & 3; kind == 1 { // one byte that is repeated size times
			size = 1
		} else if kind == 3 {
			return bad(where, "a block of reserved type")
		}
		if len(data)-at < size {
			return bad(where, "the file is cut off")
		}
		at += size
	}
	if h.HasCheckSum {
		at += 4
	}
	switch {
	case at > len(data):
		return bad(where, "the file is cut off")
	case at < len(data):
		return bad(where, "%d bytes follow the end of the frame", len(data)-at)
	}
	return nil
}
