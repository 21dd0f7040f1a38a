"""Simulate a minute of a person with known valence and arousal, and look at what comes out."""

from biosense.acquisition.simulated import Participant, simulate

recording = simulate(seed=1, seconds=60.0)
for chunk in recording.streams:
    rate = (chunk.n - 1) / (chunk.times[-1] - chunk.times[0])
    print(f"{chunk.info.name:9} {chunk.info.n_channels:3} channels at {rate:6.2f} Hz")

truth = recording.annotations[0]
beats = Participant(seed=1).beats(0.0, 60.0)
for second in range(10, 61, 10):
    valence, arousal = truth.data[truth.times < second][-1]
    heart_rate = 6 * ((beats >= second - 10) & (beats < second)).sum()
    print(
        f"{second:3} s: valence {valence:+.2f}, arousal {arousal:+.2f}, {heart_rate} beats a minute"
    )
