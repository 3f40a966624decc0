module github.com/vfmrestore/restore

go 1.26.0

require (
	github.com/disintegration/imaging v1.6.2 // indirect
	github.com/goki/vulkan v1.0.8 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/vulkan-go/vulkan v0.0.0-20221209234627-c0a353ae26c8 // indirect
	golang.org/x/image v0.47.0 // indirect
)
