module github.com/vfmrestore/restore

go 1.26.0

require (
	github.com/disintegration/imaging v1.6.2
	github.com/goki/vulkan v1.0.8
	github.com/klauspost/compress v1.20.3
	github.com/vulkan-go/vulkan v0.0.0-20221209234627-c0a353ae26c8
	gonum.org/v1/gonum v0.17.0
)

require golang.org/x/image v0.47.0 // indirect
