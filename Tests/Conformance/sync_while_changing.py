"""Syncs a directory of a mount again and again while files come, are renamed and go in it: none of
that is an error.

usage: sync_while_changing.py MOUNT"""
import os, shutil, sys, threading

os.chdir(sys.argv[1])
errors = []


def change(name):
    try:
        for turn in range(150):
            os.makedirs(f"{name}/in")
            for number in range(5):
                with open(f"{name}/in/{number}", "w") as file:
                    file.write(str(turn))
            os.rename(f"{name}/in/0", f"{name}/moved")
            os.rename(f"{name}/in", f"{name}/new")
            shutil.rmtree(name)
    except OSError as error:
        errors.append(f"changing: {error}")


threads = [threading.Thread(target=change, args=[name]) for name in ("x", "y")]
for thread in threads:
    thread.start()
directory = os.open(".", os.O_RDONLY)
count = 0
while any(thread.is_alive() for thread in threads) or count < 10:
    try:
        os.fsync(directory)
    except OSError as error:
        errors.append(f"sync {count}: {error}")
        break
    count += 1
for thread in threads:
    thread.join()
sys.exit("\n".join(errors) if errors else 0)
