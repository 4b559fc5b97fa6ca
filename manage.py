#!/usr/bin/env python3
"""Django's command line, with the embedded services behind it where no others are named."""

import os
import sys

from governance import preflight

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "healthpilot.settings")
    preflight.run(sys.argv)

    from healthpilot import commandline  # after the preflight, for Django loads with it

    commandline.run(sys.argv)
