package chat

import (
	"context"
	"errors"

	"github.com/laurelbot/laurel/core"
)

// FileRef names a file that somebody shared on a platform.
type FileRef struct {
	// Name is what the person called it, or empty.
	Name string
	// Size in bytes as the platform tells it, 0 where it does not.
	Size int64
	// Ref can be read by the platform's adapter only. Whoever has it may be
	// able to open the file.
	Ref core.Secret
}

// Why a shared file cannot be looked at.
var (
	// ErrFileTooLarge: longer than [core.MaxBadgeFileBytes].
	ErrFileTooLarge = errors.New("file is too large")
	// ErrNoFile: it is gone, or the platform does not let the bot open it.
	ErrNoFile = errors.New("no such file, or not for the bot")
)

// Files opens what people shared on one platform.
type Files interface {
	// File returns a whole file of at most [core.MaxBadgeFileBytes].
	// [ErrFileTooLarge] or [ErrNoFile] where that cannot be; any other error
	// means that it did not come. No error tells where the file lies.
	File(ctx context.Context, f FileRef) ([]byte, error)
}
