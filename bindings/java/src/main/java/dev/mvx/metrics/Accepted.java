package dev.mvx.metrics;

/**
 * What became of a call with many events.
 *
 * @param count how many were accepted, from the first one on
 * @param status why not all were: OK where the others were dropped, otherwise that of the first that was refused
 */
public record Accepted(int count, Status status) {}
