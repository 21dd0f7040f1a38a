"""What tests share: scenes, fakes and made-up data. Imported as `tests.support`."""
