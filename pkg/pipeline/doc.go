// Package pipeline runs a whole pipe from one file: `leat run pipeline.yaml`.
//
// It starts the stages as processes joined by pipes (by default ingest to respond fused in one, persist in another),
// starts all of them again from the lake's last committed mark when one dies, with growing pauses, and on SIGTERM lets
// ingest end its stream in order so that the rest drains.
//
// It is no general process manager, and it adds no buffer of its own between stages.
//
// Delivery: exactly once into the lake. Every restart opens a new epoch there, which fences whatever is left of the old
// processes; what came after the last committed mark is read again.
package pipeline
