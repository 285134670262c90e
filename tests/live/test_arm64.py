"""temp"""
ARCH = "arm64"
def test_x(live):
    import pathlib,pickle
    pathlib.Path('/tmp/livework/live-arm.json').write_text(__import__('json').dumps({k:vars(v) for k,v in live.steps.items()}))
