package dev.mvx.metrics;

/**
 * What became of a batch's events.
 *
 * @param held not sent yet
 * @param sent accepted by the recorder
 * @param dropped let go of by the recorder under the policy DROP
 * @param refused refused by the recorder
 * @param status why the last of these was refused; OK where none was
 */
public record BatchStats(int held, long sent, long dropped, long refused, Status status) {}
