"""Sets the training steps of Learnscope beside PyTorch's: in turn on the same cores, medians, peak memory.

    cargo bench --no-run --bench steps         prints the bench's path
    python pairs.py PATH [--pairs 5] [--seconds 4] [--threads 1 2] [--only NAME ...] [--before OLDER] [--gpu]
    python pairs.py --runs target/release/learnscope      whole runs of two labs instead, each in a process of its own

Any Python runs this; `--python` names the one that has torch (and for `--runs` scipy).
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from statistics import median

HERE = pathlib.Path(__file__).parent


def run(command, threads):
    """What a process says, its wall seconds and its peak memory in MB; it has as many logical CPUs as threads."""
    env = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    start = time.perf_counter()
    bound = hasattr(os, "sched_setaffinity") and "DEVICE" not in env
    bind = (lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])) if bound else None
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, preexec_fn=bind)
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} ended with {status}: {said}")
    return said, time.perf_counter() - start, usage.ru_maxrss / 1024


def measure(command, threads):
    """Milliseconds of the median step, and the process's peak memory in MB."""
    said, _, memory = run(command, threads)
    return float(said.split()[1]), memory


def ratio(above, below):
    """The median ratio of what was measured in turn."""
    return f"{median(a[0] / b[0] for a, b in zip(above, below)):.2f}"


def steps(arguments):
    script = HERE / "steps.py"
    names = subprocess.run([arguments.bench], capture_output=True, text=True, check=True).stdout.split()
    older = []
    if arguments.before:
        older = subprocess.run([arguments.before], capture_output=True, text=True, check=True).stdout.split()
    # Operations a millisecond of a product of matrices, by each library.
    peaks = {}
    for threads in [] if arguments.gpu else arguments.threads:
        commands = ([arguments.bench, "peak", "2"], [arguments.python, script, "peak", "2"])
        peaks[threads] = [2 * 1024**3 / min(measure(command, threads)[0] for _ in range(3)) for command in commands]
        print(f"{threads} threads: products of matrices at {peaks[threads][0] / 1e6:.0f} GFLOP/s, PyTorch's {peaks[threads][1] / 1e6:.0f}")
    print("| network | threads | ours ms | PyTorch ms | ours / PyTorch | before / PyTorch | of the products' speed | memory MB |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.only or names:
        counted = subprocess.run([arguments.python, script, name, "flops"], capture_output=True, text=True, check=True)
        flops = float(counted.stdout.split()[1])
        for threads in arguments.threads:
            ours, theirs, before = [], [], []
            for _ in range(arguments.pairs):
                ours.append(measure([arguments.bench, name, str(arguments.seconds)], threads))
                theirs.append(measure([arguments.python, script, name, str(arguments.seconds)], threads))
                if name in older:
                    before.append(measure([arguments.before, name, str(arguments.seconds)], threads))
            a, b = (median(run[0] for run in runs) for runs in (ours, theirs))
            shares = [f"{flops / time / peak:.0%}" for time, peak in zip((a, b), peaks.get(threads, ()))]
            memory = [max(run[1] for run in runs) for runs in (ours, theirs)]
            print(
                f"| {name} | {threads} | {a:.1f} | {b:.1f} | {ratio(ours, theirs)} | {ratio(before, theirs) if before else '–'} "
                f"| {' : '.join(shares)} | {memory[0]:.0f} : {memory[1]:.0f} |",
                flush=True,
            )


def runs(arguments):
    """Whole runs: ours from the start of the process to its end, PyTorch's without its imports."""
    print("| run | threads | ours s | PyTorch s | ours / PyTorch | memory MB |")
    print("|---|---|---|---|---|---|")
    for lab in arguments.only or ("self-supervised", "segmentation"):
        for threads in arguments.threads:
            found = [], []
            for _ in range(arguments.pairs):
                with tempfile.TemporaryDirectory() as folder:
                    ours = [arguments.runs, "run", lab, "--device", "cpu", "--out", folder]
                    for list_, command in zip(found, (ours, [arguments.python, HERE / "runs.py", lab])):
                        said, wall, memory = run(command, threads)
                        says_its_own = said.startswith("seconds ")
                        list_.append((float(said.split()[1]) if says_its_own else wall, memory))
            a, b = (median(run[0] for run in runs) for runs in found)
            memory = [max(run[1] for run in runs) for runs in found]
            print(f"| {lab} | {threads} | {a:.1f} | {b:.1f} | {ratio(*found)} | {memory[0]:.0f} : {memory[1]:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?", help="the bench `steps` as cargo built it")
    parser.add_argument("--runs", help="the program: whole runs")
    parser.add_argument("--before", help="the bench of an older version, measured in turn with the others")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--gpu", action="store_true", help="on the same card: wgpu's best against cuda; no shares of the limit")
    parser.add_argument("--python", default=sys.executable, help="the Python that has torch")
    arguments = parser.parse_args()
    if arguments.runs and (arguments.gpu or arguments.before or arguments.bench):
        parser.error("--runs goes with --python, --pairs, --threads and --only")
    if not arguments.gpu and max(arguments.threads) > (os.cpu_count() or 1):
        parser.error(f"there are {os.cpu_count()} logical CPUs")
    if arguments.gpu:
        os.environ.update(LEARNSCOPE_BENCH_DEVICE="auto", DEVICE="cuda")
        arguments.threads = arguments.threads[-1:]
    if arguments.runs:
        runs(arguments)
    elif arguments.bench:
        steps(arguments)
    else:
        parser.error("name the bench, or --runs with the program")


if __name__ == "__main__":
    main()
