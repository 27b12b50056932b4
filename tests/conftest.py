"""For all tests."""

import hypothesis

# no deadline: how long an example takes says more about what else the machine does than about the code
hypothesis.settings.register_profile("irisrec", deadline=None)
hypothesis.settings.load_profile("irisrec")
