"""Sets the training steps of Learnscope beside PyTorch's: pairs in turn on the same cores, medians, peak memory.

    cargo bench --no-run --bench steps         prints the bench's path
    python pairs.py PATH [--pairs 5] [--seconds 4] [--threads 1 2] [--only NAME ...] [--gpu]

Any Python runs this; `--python` names the one that has torch.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys


def measure(command, threads):
    """Milliseconds of the median step, and the process's peak memory in MB."""
    env = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} ended with {status}: {said}")
    return float(said.split()[1]), usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", help="the bench `steps` as cargo built it")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--gpu", action="store_true", help="on the same card: wgpu's best against cuda; no shares of the limit")
    parser.add_argument("--python", default=sys.executable, help="the Python that has torch")
    arguments = parser.parse_args()
    if arguments.gpu:
        os.environ.update(LEARNSCOPE_BENCH_DEVICE="auto", DEVICE="cuda")
        arguments.threads = arguments.threads[-1:]
    script = pathlib.Path(__file__).with_name("steps.py")
    names = subprocess.run([arguments.bench], capture_output=True, text=True, check=True).stdout.split()
    # Operations a millisecond of a product of matrices, by each library.
    peaks = {}
    for threads in [] if arguments.gpu else arguments.threads:
        commands = ([arguments.bench, "peak", "2"], [arguments.python, script, "peak", "2"])
        peaks[threads] = [2 * 1024**3 / min(measure(command, threads)[0] for _ in range(3)) for command in commands]
        print(f"{threads} threads: products of matrices at {peaks[threads][0] / 1e6:.0f} GFLOP/s, PyTorch's {peaks[threads][1] / 1e6:.0f}")
    print("| network | threads | ours ms | PyTorch ms | ours / PyTorch | of the products' speed | memory MB |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.only or names:
        counted = subprocess.run([arguments.python, script, name, "flops"], capture_output=True, text=True, check=True)
        flops = float(counted.stdout.split()[1])
        for threads in arguments.threads:
            ours, theirs = [], []
            for _ in range(arguments.pairs):
                ours.append(measure([arguments.bench, name, str(arguments.seconds)], threads))
                theirs.append(measure([arguments.python, script, name, str(arguments.seconds)], threads))
            ratio = statistics.median(a[0] / b[0] for a, b in zip(ours, theirs))
            a, b = (statistics.median(run[0] for run in runs) for runs in (ours, theirs))
            shares = [f"{flops / time / peak:.0%}" for time, peak in zip((a, b), peaks.get(threads, ()))]
            memory = [max(run[1] for run in runs) for runs in (ours, theirs)]
            print(
                f"| {name} | {threads} | {a:.1f} | {b:.1f} | {ratio:.2f} | {' : '.join(shares)} "
                f"| {memory[0]:.0f} : {memory[1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
